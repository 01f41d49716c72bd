#include "common/optimizers/schedule.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace convoy {
namespace {

constexpr uint64_t kEpoch = 1000, kTotal = 10'000;

double Factor(const std::string& text, uint64_t examples) {
  v1::Schedule schedule;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &schedule)) << text;
  return ScheduleFactor(schedule, examples, kEpoch, kTotal);
}

TEST(ScheduleTest, ConstantIsOneAndTheDefault) {
  for (const char* text : {"", "constant {}"}) {
    EXPECT_EQ(Factor(text, 0), 1);
    EXPECT_EQ(Factor(text, 123'456'789), 1);
  }
}

TEST(ScheduleTest, StepFallsAtMultiplesOfItsExamples) {
  const std::string text = "step { every_examples: 100 factor: 0.5 }";
  EXPECT_EQ(Factor(text, 0), 1);
  EXPECT_EQ(Factor(text, 99), 1);
  EXPECT_EQ(Factor(text, 100), 0.5);
  EXPECT_EQ(Factor(text, 250), 0.25);
}

TEST(ScheduleTest, StepDefaultsToAnEpochAndAHalf) {
  EXPECT_EQ(Factor("step {}", kEpoch - 1), 1);
  EXPECT_EQ(Factor("step {}", kEpoch), 0.5);
}

TEST(ScheduleTest, ExponentialFallsAllTheTime) {
  EXPECT_EQ(Factor("exponential { every_examples: 100 factor: 0.25 }", 0), 1);
  EXPECT_DOUBLE_EQ(Factor("exponential { every_examples: 100 factor: 0.25 }", 50), 0.5);
  EXPECT_DOUBLE_EQ(Factor("exponential {}", 2 * kEpoch), 0.81);
}

TEST(ScheduleTest, CosineGoesFromOneToTheFinalFractionAndStays) {
  const std::string text = "cosine { over_examples: 300 final_fraction: 0.2 }";
  EXPECT_EQ(Factor(text, 0), 1);
  EXPECT_DOUBLE_EQ(Factor(text, 100), 0.2 + 0.8 * 0.75);  // (1 + cos 60 deg) / 2 = 0.75
  EXPECT_DOUBLE_EQ(Factor(text, 150), 0.6);
  EXPECT_DOUBLE_EQ(Factor(text, 300), 0.2);
  EXPECT_DOUBLE_EQ(Factor(text, 3000), 0.2);
}

TEST(ScheduleTest, CosineDefaultsToAllExamplesAndEndsAtZero) {
  EXPECT_DOUBLE_EQ(Factor("cosine {}", kTotal / 2), 0.5);
  EXPECT_EQ(Factor("cosine {}", kTotal), 0);
}

TEST(ScheduleTest, WarmUpIsLinearAndItsFirstUpdateCounts) {
  EXPECT_DOUBLE_EQ(Factor("warmup_examples: 100", 0), 0.01);
  EXPECT_DOUBLE_EQ(Factor("warmup_examples: 100", 49), 0.5);
  EXPECT_EQ(Factor("warmup_examples: 100", 99), 1);
  EXPECT_EQ(Factor("warmup_examples: 100", 1000), 1);
}

TEST(ScheduleTest, WarmUpMultipliesTheShape) {
  EXPECT_DOUBLE_EQ(Factor("step { every_examples: 10 } warmup_examples: 100", 19), 0.2 * 0.5);
}

TEST(ScheduleTest, AnExplicitZeroPeriodMeansTheDefault) {
  EXPECT_EQ(Factor("step { every_examples: 0 }", kEpoch), 0.5);
  v1::Schedule schedule;
  schedule.mutable_cosine();
  EXPECT_TRUE(std::isfinite(ScheduleFactor(schedule, 5, 0, 0)));
}

}  // namespace
}  // namespace convoy
