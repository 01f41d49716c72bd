#include "worker/compute_delay.h"

#include <gtest/gtest.h>

#include <vector>

#include "worker/timed_model.h"

namespace convoy {
namespace {

Slowness ThreeTimes() { return Slowness({SlowWorkerRule{0, 3, 1, 2}}, 1, 0); }

TEST(ComputeDelayTest, SleepsTwiceAsLongAsItComputedIfItIsThreeTimesSlower) {
  std::vector<absl::Duration> sleeps;
  ComputeDelay delay(ThreeTimes(), [&](absl::Duration time) {
    sleeps.push_back(time);
    return time;
  });
  delay.BeginBatch();
  delay.Computed(0.010);
  ASSERT_EQ(sleeps.size(), 1u);
  EXPECT_EQ(sleeps[0], absl::Milliseconds(20));
  EXPECT_DOUBLE_EQ(delay.slept_seconds(), 0.020);
}

TEST(ComputeDelayTest, ShortTimesAddUpBeforeItSleeps) {
  int sleeps = 0;
  absl::Duration slept;
  ComputeDelay delay(ThreeTimes(), [&](absl::Duration time) {
    ++sleeps;
    slept += time;
    return time;
  });
  delay.BeginBatch();
  for (int i = 0; i < 10; ++i) delay.Computed(25e-6);  // 50 us owed each; at 100 us it sleeps
  EXPECT_EQ(sleeps, 5);
  EXPECT_NEAR(absl::ToDoubleSeconds(slept), 500e-6, 1e-9);
}

TEST(ComputeDelayTest, WhatASleepWasTooLongIsTakenOffTheNextOnes) {
  absl::Duration slept;
  ComputeDelay delay(ThreeTimes(), [&](absl::Duration time) {
    slept += time + absl::Microseconds(60);
    return time + absl::Microseconds(60);
  });
  for (int i = 0; i < 1000; ++i) {
    delay.BeginBatch();
    delay.Computed(0.001);
  }
  EXPECT_NEAR(absl::ToDoubleSeconds(slept), 2.0, 0.001)
      << "twice 1000 ms, the last overshoot apart";
}

TEST(ComputeDelayTest, OutsideOfItsStretchesAPassingStragglerDoesNotSleep) {
  const Slowness slowness({SlowWorkerRule{std::nullopt, 3, 0.25, 4}}, 1, 0);
  int slept = 0;
  ComputeDelay delay(slowness, [&](absl::Duration time) {
    ++slept;
    return time;
  });
  int expected = 0;
  for (uint64_t batch = 0; batch < 400; ++batch) {
    delay.BeginBatch();
    delay.Computed(0.001);
    expected += slowness.FactorOf(batch) > 1;
  }
  EXPECT_EQ(slept, expected);
  EXPECT_GT(slept, 0);
  EXPECT_LT(slept, 400);
}

}  // namespace
}  // namespace convoy
