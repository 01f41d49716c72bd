#include "common/files/filled_ranges.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(FilledRangesTest, PiecesInAnyOrderFillTheWhole) {
  FilledRanges ranges(10);
  ranges.Fill(6, 10);
  EXPECT_EQ(ranges.FirstHole(), 0u);
  ranges.Fill(0, 3);
  EXPECT_EQ(ranges.FirstHole(), 3u);
  ranges.Fill(3, 6);
  EXPECT_TRUE(ranges.Full());
}

TEST(FilledRangesTest, OverlappingAndRepeatedPiecesCountOnce) {
  FilledRanges ranges(10);
  ranges.Fill(0, 4);
  ranges.Fill(2, 6);
  ranges.Fill(0, 4);
  EXPECT_EQ(ranges.FirstHole(), 6u);
  ranges.Fill(8, 9);
  ranges.Fill(5, 10);
  EXPECT_TRUE(ranges.Full());
}

TEST(FilledRangesTest, AnEmptyPieceFillsNothingAndAnEmptyWholeIsFull) {
  FilledRanges ranges(1);
  ranges.Fill(0, 0);
  EXPECT_FALSE(ranges.Full());
  EXPECT_TRUE(FilledRanges(0).Full());
}

}  // namespace
}  // namespace convoy
