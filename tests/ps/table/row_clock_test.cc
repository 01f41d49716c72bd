#include "ps/table/row_clock.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(RowClockTest, SecondsAreThoseSinceTheFirstEvent) {
  RowClock clock;
  EXPECT_EQ(clock.seconds(), 0u);
  clock.Advance(kStart);
  EXPECT_EQ(clock.seconds(), 0u);
  clock.Advance(kStart + absl::Milliseconds(2999));
  EXPECT_EQ(clock.seconds(), 2u);
}

TEST(RowClockTest, ItNeverGoesBackAndEndsAtTheLargestSecond) {
  RowClock clock;
  clock.Advance(kStart);
  clock.Advance(kStart + absl::Seconds(9));
  clock.Advance(kStart - absl::Hours(1));
  EXPECT_EQ(clock.seconds(), 9u);
  clock.Advance(absl::InfiniteFuture());
  EXPECT_EQ(clock.seconds(), RowClock::kMaxSeconds);
}

}  // namespace
}  // namespace convoy
