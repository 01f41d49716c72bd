#include "worker/data/negative_sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace convoy {
namespace {

using ::testing::ElementsAre;

// Class 1 of every tenth example.
std::vector<uint32_t> Classes(uint32_t examples) {
  std::vector<uint32_t> classes(examples);
  for (uint32_t i = 0; i < examples; i += 10) classes[i] = 1;
  return classes;
}

TEST(SampleNegativesTest, EveryPositiveAndAShareOfTheNegativesIsKept) {
  const std::vector<uint32_t> classes = Classes(100'000);
  const std::vector<uint32_t> kept = SampleNegatives(classes, 0.2, 7);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  EXPECT_EQ(std::count_if(kept.begin(), kept.end(), [&](uint32_t i) { return classes[i] == 1; }),
            10'000);
  // 90,000 draws of 0.2: 18,000 +- 5 standard deviations of sqrt(90,000 * 0.2 * 0.8) = 120.
  EXPECT_NEAR(static_cast<double>(kept.size() - 10'000), 18'000, 600);
}

TEST(SampleNegativesTest, AnExampleIsKeptBySeedAndNumberAlone) {
  const std::vector<uint32_t> kept = SampleNegatives(Classes(1000), 0.5, 7);
  EXPECT_EQ(SampleNegatives(Classes(1000), 0.5, 7), kept);
  EXPECT_NE(SampleNegatives(Classes(1000), 0.5, 8), kept);
  // Other examples behind it do not matter.
  const std::vector<uint32_t> more = SampleNegatives(Classes(2000), 0.5, 7);
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), more.begin()));
}

TEST(SampleNegativesTest, RateOneKeepsAll) {
  EXPECT_THAT(SampleNegatives(std::vector<uint32_t>{0, 1, 0}, 1, 1), ElementsAre(0, 1, 2));
}

// With 1 positive and 9 negatives, of which a third is kept, p is 1 / (1 + 3); it becomes 1 / 10.
TEST(CorrectForSamplingTest, GivesTheShareAmongAllExamples) {
  EXPECT_FLOAT_EQ(CorrectForSampling(0.25F, 1.0 / 3), 0.1F);
  EXPECT_EQ(CorrectForSampling(0, 0.1), 0);
  EXPECT_EQ(CorrectForSampling(1, 0.1), 1);
  EXPECT_EQ(CorrectForSampling(0.3F, 1), 0.3F);
}

// Odds are multiplied by the rate: the logit is shifted by ln(rate).
TEST(CorrectForSamplingTest, ShiftsTheLogit) {
  for (const float p : {1e-6F, 0.01F, 0.5F, 0.9F}) {
    const double before = std::log(p / (1 - double{p}));
    const double q = CorrectForSampling(p, 0.05);
    EXPECT_NEAR(std::log(q / (1 - q)), before + std::log(0.05), 1e-5);
  }
}

}  // namespace
}  // namespace convoy
