#include "ps/clock_table.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(ClockTableTest, TheGateClosesRightBeyondTheBound) {
  ClockTable clocks(2);
  clocks.Join(0, 0);
  clocks.Join(1, 0);
  for (uint64_t clock = 1; clock <= 2; ++clock) {
    clocks.Advance(0, clock);
    EXPECT_TRUE(clocks.MayRead(0)) << clock;
  }
  clocks.Advance(0, 3);
  EXPECT_FALSE(clocks.MayRead(0));
  EXPECT_TRUE(clocks.MayRead(1));
  EXPECT_EQ(clocks.Slowest(), 1u);
  clocks.Advance(1, 1);
  EXPECT_TRUE(clocks.MayRead(0)) << "3 - 1 = 2";
}

TEST(ClockTableTest, AJoinerIsLevelWithTheSlowest) {
  ClockTable clocks(0);
  clocks.Join(0, 0);
  clocks.Join(1, 0);
  clocks.Advance(0, 10);
  clocks.Advance(1, 8);
  clocks.Join(2, 0);  // level 8
  EXPECT_TRUE(clocks.MayRead(2));
  EXPECT_TRUE(clocks.MayRead(1));
  clocks.Advance(2, 1);  // level 9, one ahead of worker 1
  EXPECT_FALSE(clocks.MayRead(2));
  clocks.Advance(1, 9);
  EXPECT_TRUE(clocks.MayRead(2));
}

TEST(ClockTableTest, ARejoinerGoesOnFromItsOwnCount) {
  ClockTable clocks(1);
  clocks.Join(0, 0);
  clocks.Join(1, 0);
  clocks.Advance(0, 5);
  clocks.Leave(1);
  EXPECT_TRUE(clocks.MayRead(0)) << "nobody waits for one who left";
  clocks.Join(1, 3);     // enters at level 5 with its own count at 3
  clocks.Advance(1, 5);  // level 7
  EXPECT_FALSE(clocks.MayRead(1));
  clocks.Advance(0, 6);
  EXPECT_TRUE(clocks.MayRead(1));
}

TEST(ClockTableTest, NamesThoseThatHaveJoinedFromARankOn) {
  ClockTable clocks(1);
  for (const uint32_t worker : {0, 2, 5}) clocks.Join(worker, 0);
  EXPECT_EQ(clocks.JoinedFrom(2), (std::vector<uint32_t>{2, 5}));
  clocks.Leave(5);
  EXPECT_EQ(clocks.JoinedFrom(3), (std::vector<uint32_t>{}));
}

TEST(ClockTableTest, RepeatedEventsChangeNothing) {
  ClockTable clocks(1);
  clocks.Join(0, 0);
  clocks.Join(1, 0);
  clocks.Advance(0, 2);
  clocks.Join(0, 0);
  clocks.Advance(0, 1);
  EXPECT_FALSE(clocks.MayRead(0));
  clocks.Advance(7, 100);  // has not joined
  EXPECT_TRUE(clocks.MayRead(7));
  clocks.Leave(7);
  EXPECT_FALSE(clocks.MayRead(0));
}

TEST(ClockTableTest, AnEmptyTableHasNoSlowest) {
  ClockTable clocks(0);
  EXPECT_EQ(clocks.Slowest(), std::nullopt);
  EXPECT_TRUE(clocks.MayRead(0));
  clocks.Leave(0);
}

}  // namespace
}  // namespace convoy
