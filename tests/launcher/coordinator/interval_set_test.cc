#include "common/interval_set.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(IntervalSetTest, NeighboursAreJoinedWhateverTheOrder) {
  IntervalSet set;
  set.Add(4, 6);
  set.Add(0, 2);
  EXPECT_EQ(set.ranges(), 2u);
  set.Add(2, 4);
  EXPECT_EQ(set.ranges(), 1u);
  EXPECT_TRUE(set.Contains(0) && set.Contains(3) && set.Contains(5));
  EXPECT_FALSE(set.Contains(6));
}

TEST(IntervalSetTest, OverlappingRangesAreOne) {
  IntervalSet set;
  set.Add(0, 3);
  set.Add(10, 12);
  set.Add(2, 11);
  EXPECT_EQ(set.ranges(), 1u);
  EXPECT_TRUE(set.Contains(11));
  EXPECT_FALSE(set.Contains(12));
}

TEST(IntervalSetTest, AnEmptyRangeAddsNothing) {
  IntervalSet set;
  set.Add(5, 5);
  EXPECT_EQ(set.ranges(), 0u);
  EXPECT_FALSE(set.Contains(5));
}

TEST(IntervalSetTest, AHoleStaysAHole) {
  IntervalSet set;
  set.Add(0, 2);
  set.Add(3, 5);
  EXPECT_FALSE(set.Contains(2));
  EXPECT_EQ(set.ranges(), 2u);
}

}  // namespace
}  // namespace convoy
