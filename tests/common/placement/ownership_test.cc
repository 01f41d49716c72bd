#include "common/placement/ownership.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(OwnershipTest, EverySliceHasExactlyOneOwnerAndSparesHaveNone) {
  for (uint32_t slices = 1; slices <= 9; ++slices) {
    for (uint32_t workers = 1; workers <= 12; ++workers) {
      uint32_t next = 0;
      for (uint32_t rank = 0; rank < workers; ++rank) {
        const SliceSpan span = OwnedSlices(rank, workers, slices);
        if (rank >= slices) {
          EXPECT_EQ(span, SliceSpan{}) << "a spare";
          continue;
        }
        EXPECT_EQ(span.begin, next);
        EXPECT_GT(span.end, span.begin)
            << "rank " << rank << " of " << workers << ", S = " << slices;
        for (uint32_t slice = span.begin; slice < span.end; ++slice) {
          EXPECT_EQ(OwnerOfSlice(slice, workers, slices), rank);
        }
        next = span.end;
      }
      EXPECT_EQ(next, slices);
    }
  }
}

}  // namespace
}  // namespace convoy
