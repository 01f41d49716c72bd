#include "common/math/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace convoy {
namespace {

using testing::ElementsAre;

// Known answers of Random123 1.14 (kat_vectors, philox4x32 with 10 rounds).
TEST(PhiloxTest, MatchesThePublishedVectorOfZeros) {
  EXPECT_THAT(Philox4x32({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
}

TEST(PhiloxTest, MatchesThePublishedVectorOfOnes) {
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_THAT(Philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
}

TEST(PhiloxTest, MatchesThePublishedVectorOfPi) {
  EXPECT_THAT(
      Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(RandomStreamTest, EveryPartOfTheNameChangesTheNumbers) {
  std::set<uint32_t> first;
  for (const RandomStream& stream :
       {RandomStream(1, "a"), RandomStream(2, "a"), RandomStream(1, "b"), RandomStream(1, ""),
        RandomStream(1, "a", 1), RandomStream(1, "a", 0, 1), RandomStream(1, "a", 1, 1)}) {
    first.insert(stream.Bits(0));
  }
  EXPECT_EQ(first.size(), 7u);
}

TEST(RandomStreamTest, NumbersFarApartDiffer) {
  const RandomStream stream(7, "x");
  EXPECT_NE(stream.Bits(0), stream.Bits(uint64_t{4} << 32));  // next word of the counter
  EXPECT_EQ(stream.Bits(5), RandomStream(7, "x").Bits(5));
}

TEST(RandomStreamTest, FillsGiveTheSameBitsAsSingleCallsWhereverTheyStart) {
  const RandomStream stream(3, "fill");
  // Around one batch of 32, and around the carry between the words of the counter.
  for (const uint64_t first : {0ull, 1ull, 2ull, 3ull, 31ull, 32ull, (4ull << 32) - 37}) {
    for (const size_t size : {0, 1, 2, 5, 31, 32, 33, 70}) {
      std::vector<float> uniform(size), normal(size);
      stream.FillUniform(first, uniform);
      stream.FillNormal(first, normal);
      for (size_t i = 0; i < size; ++i) {
        EXPECT_EQ(uniform[i], stream.Uniform(first + i)) << first << " + " << i;
        EXPECT_EQ(normal[i], stream.Normal(first + i)) << first << " + " << i;
      }
    }
  }
}

// n = 100,000: the mean of uniform numbers has deviation 1 / sqrt(12 n) = 0.0009.
TEST(RandomStreamTest, UniformNumbersFillTheUnitIntervalEvenly) {
  std::vector<float> values(100'000);
  RandomStream(11, "uniform").FillUniform(0, values);
  double sum = 0, squares = 0;
  for (const float value : values) {
    ASSERT_GE(value, 0.0f);
    ASSERT_LT(value, 1.0f);
    sum += value;
    squares += double{value} * value;
  }
  EXPECT_NEAR(sum / 1e5, 0.5, 0.004);
  EXPECT_NEAR(squares / 1e5, 1.0 / 3, 0.004);
}

// Moments of the standard normal distribution: 0, 1, 0, 3; deviations of their estimates at
// n = 100,000: 0.003, 0.0045, 0.012, 0.03. 4.55 % lie beyond two deviations.
TEST(RandomStreamTest, NormalNumbersHaveTheMomentsOfTheNormalDistribution) {
  std::vector<float> values(100'000);
  RandomStream(11, "normal").FillNormal(0, values);
  double moments[5] = {};
  double outside = 0;
  for (const double value : values) {
    ASSERT_TRUE(std::isfinite(value));
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(value, k) / 1e5;
    outside += std::abs(value) > 2 ? 1e-5 : 0;
  }
  EXPECT_NEAR(moments[1], 0, 0.013);
  EXPECT_NEAR(moments[2], 1, 0.02);
  EXPECT_NEAR(moments[3], 0, 0.05);
  EXPECT_NEAR(moments[4], 3, 0.13);
  EXPECT_NEAR(outside, 0.0455, 0.003);
}

TEST(RandomStreamTest, BelowIsEvenAndStaysBelow) {
  const RandomStream stream(5, "below");
  std::vector<int> counts(6);
  for (uint64_t i = 0; i < 60'000; ++i) ++counts.at(stream.Below(i, 6));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 450);  // 5 deviations of 91
  EXPECT_EQ(stream.Below(0, 1), 0u);
  EXPECT_GT(stream.Below(0, ~uint64_t{0}), uint64_t{1} << 32);  // all 64 bits take part
}

TEST(SeededPermutationTest, ContainsEveryElementOnce) {
  std::vector<uint32_t> order = SeededPermutation(10'007, 1, "data", 0);
  EXPECT_NE(order.front(), 0u);
  std::sort(order.begin(), order.end());
  std::vector<uint32_t> identity(10'007);
  std::iota(identity.begin(), identity.end(), 0u);
  EXPECT_EQ(order, identity);
}

TEST(SeededPermutationTest, DependsOnSeedNameAndEpochAlone) {
  const auto order = SeededPermutation(100, 1, "data", 0);
  EXPECT_EQ(order, SeededPermutation(100, 1, "data", 0));
  EXPECT_NE(order, SeededPermutation(100, 2, "data", 0));
  EXPECT_NE(order, SeededPermutation(100, 1, "other", 0));
  EXPECT_NE(order, SeededPermutation(100, 1, "data", 1));
}

TEST(SeededPermutationTest, SmallSizesAreFine) {
  EXPECT_THAT(SeededPermutation(0, 1, "data", 0), ElementsAre());
  EXPECT_THAT(SeededPermutation(1, 1, "data", 0), ElementsAre(0));
}

// All 6 orders of 3 elements, each 1,000 times in 6,000 epochs (deviation 29).
TEST(SeededPermutationTest, EveryOrderIsEquallyLikely) {
  std::map<std::vector<uint32_t>, int> counts;
  for (uint64_t epoch = 0; epoch < 6000; ++epoch) ++counts[SeededPermutation(3, 9, "p", epoch)];
  EXPECT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 145);
}

// Stored positions and checkpoints rely on these numbers: they must never change.
TEST(RandomStreamTest, NumbersStayWhatTheyAlwaysWere) {
  EXPECT_EQ(RandomStream(1, "golden", 2, 3).Bits(4), 4099494463u);
  EXPECT_EQ(std::bit_cast<uint32_t>(RandomStream(1, "golden").Normal(6)), 1049192986u);
  EXPECT_THAT(SeededPermutation(8, 1, "golden", 2), ElementsAre(1, 7, 5, 6, 4, 2, 0, 3));
}

// XXH3, 64 bits, seed 0: the value for the empty string is published with the algorithm.
TEST(StableHashTest, IsXxh3) { EXPECT_EQ(StableHash(""), 0x2d06800538d394c2u); }

}  // namespace
}  // namespace convoy
