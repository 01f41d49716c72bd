#include "launcher/coordinator/validation_track.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace convoy {
namespace {

using ::testing::HasSubstr;

v1::Job Following(const std::string& metric, uint32_t patience = 0, double min_delta = 0) {
  v1::Job job;
  if (patience == 0) {
    job.mutable_checkpoint()->set_best(metric);
    return job;
  }
  v1::EarlyStopping& rule = *job.mutable_training()->mutable_early_stopping();
  rule.set_metric(metric);
  rule.set_patience(patience);
  rule.set_min_delta(min_delta);
  return job;
}

TEST(ValidationTrackTest, OfLossTheLowestIsBestAndOfAccuracyTheHighest) {
  ValidationTrack loss(Following("validation/loss")), accuracy(Following("validation/accuracy"));
  EXPECT_TRUE(loss.Add(10, 0.5));
  EXPECT_FALSE(loss.Add(20, 0.6));
  EXPECT_TRUE(loss.Add(30, 0.4));
  EXPECT_EQ(loss.state().best_key, 30u);
  EXPECT_TRUE(accuracy.Add(10, 0.5));
  EXPECT_TRUE(accuracy.Add(20, 0.6));
  EXPECT_FALSE(accuracy.Add(30, 0.6));  // as good is not better
}

TEST(ValidationTrackTest, WithoutEarlyStoppingItIsNeverExhausted) {
  ValidationTrack track(Following("validation/loss"));
  for (uint64_t key = 1; key < 100; ++key) track.Add(key, 1.0);
  EXPECT_FALSE(track.Exhausted());
  EXPECT_FALSE(track.decides());
}

TEST(ValidationTrackTest, ItIsExhaustedAfterSoManyValidationsWithoutImprovement) {
  ValidationTrack track(Following("validation/loss", 2));
  track.Add(1, 0.5);
  track.Add(2, 0.6);
  EXPECT_FALSE(track.Exhausted());
  track.Add(3, 0.4);
  track.Add(4, 0.5);
  EXPECT_FALSE(track.Exhausted());
  track.Add(5, 0.45);
  EXPECT_TRUE(track.Exhausted());
  EXPECT_THAT(track.Reason(),
              HasSubstr("validation/loss has not improved for 2 validations; the best was 0.4"));
}

TEST(ValidationTrackTest, AnImprovementIsMoreThanMinDelta) {
  ValidationTrack track(Following("validation/accuracy", 2, 0.125));
  EXPECT_TRUE(track.Add(1, 0.5));
  EXPECT_FALSE(track.Add(2, 0.625));
  EXPECT_TRUE(track.Add(3, 0.75));
}

TEST(ValidationTrackTest, WhatIsNoNumberIsNoImprovement) {
  ValidationTrack track(Following("validation/loss", 2));
  EXPECT_FALSE(track.Add(1, std::nullopt));
  EXPECT_FALSE(track.Add(2, std::nan("")));
  EXPECT_TRUE(track.Exhausted());
  EXPECT_FALSE(track.state().best.has_value());
}

TEST(ValidationTrackTest, TheSameValidationCountsOnceAlsoAfterItGoesOn) {
  ValidationTrack before(Following("validation/loss", 3));
  before.Add(1, 0.5);
  before.Add(2, 0.6);
  ValidationTrack after(Following("validation/loss", 3));
  after.GoOn(before.state());
  EXPECT_FALSE(after.Add(2, 0.1));
  after.Add(3, 0.6);
  EXPECT_FALSE(after.Exhausted());
  after.Add(4, 0.6);
  EXPECT_TRUE(after.Exhausted());
}

}  // namespace
}  // namespace convoy
