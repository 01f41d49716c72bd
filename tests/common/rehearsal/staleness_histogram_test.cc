#include "common/staleness_histogram.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(StalenessHistogramTest, IsExactUpTo15AndThenInRangesThatDouble) {
  EXPECT_EQ(StalenessBucket(0), 0u);
  EXPECT_EQ(StalenessBucket(15), 15u);
  EXPECT_EQ(StalenessBucket(16), 16u);
  EXPECT_EQ(StalenessBucket(31), 16u);
  EXPECT_EQ(StalenessBucket(32), 17u);
  EXPECT_EQ(StalenessBucket(~uint64_t{0}), kStalenessBuckets - 1);
  for (size_t bucket = 0; bucket < kStalenessBuckets; ++bucket) {
    EXPECT_EQ(StalenessBucket(StalenessBucketBegin(bucket)), bucket);
    if (bucket == 0) continue;
    EXPECT_EQ(StalenessBucket(StalenessBucketBegin(bucket) - 1), bucket - 1);
  }
}

TEST(StalenessHistogramTest, Counts) {
  StalenessHistogram histogram;
  histogram.Add(2);
  histogram.Add(2);
  histogram.Add(20);
  EXPECT_EQ(histogram.count(2), 2u);
  EXPECT_EQ(histogram.count(16), 1u);
  EXPECT_EQ(histogram.count(0), 0u);
}

}  // namespace
}  // namespace convoy
