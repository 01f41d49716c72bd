#include "common/checkpoint/delta_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two weights, one slot and the counters of each row follow from its id and `value`.
BucketRows RowsWith(const std::vector<uint64_t>& ids, float value) {
  BucketRows rows;
  for (const uint64_t id : ids) {
    const auto number = static_cast<float>(id);
    rows.ids.push_back(id);
    rows.weights.insert(rows.weights.end(), {value, number});
    rows.slots.push_back(-value);
    rows.counters.insert(rows.counters.end(), {static_cast<uint32_t>(value), 1});
  }
  return rows;
}

TEST(DeltaRowsTest, ChangedRowsReplaceTheirsAndNewOnesComeBetween) {
  const BucketRows rows = ApplyDelta(RowsWith({2, 4, 6}, 1), RowsWith({1, 4, 5, 9}, 2), {});
  EXPECT_THAT(rows.ids, ElementsAre(1, 2, 4, 5, 6, 9));
  EXPECT_THAT(rows.weights, ElementsAre(2, 1, 1, 2, 2, 4, 2, 5, 1, 6, 2, 9));
  EXPECT_THAT(rows.slots, ElementsAre(-2, -1, -2, -2, -1, -2));
  EXPECT_THAT(rows.counters, ElementsAre(2, 1, 1, 1, 2, 1, 2, 1, 1, 1, 2, 1));
}

TEST(DeltaRowsTest, RemovedRowsGoUnlessTheyCameAgain) {
  const std::vector<uint64_t> removed = {2, 4, 7};
  EXPECT_THAT(ApplyDelta(RowsWith({2, 4, 6}, 1), RowsWith({4}, 2), removed).ids, ElementsAre(4, 6));
  EXPECT_THAT(ApplyDelta(RowsWith({2, 4}, 1), {}, removed).ids, IsEmpty());
}

TEST(DeltaRowsTest, NothingChangedIsTheBase) {
  const BucketRows base = RowsWith({3, 5}, 1);
  const BucketRows rows = ApplyDelta(base, {}, {});
  EXPECT_EQ(rows.ids, base.ids);
  EXPECT_EQ(rows.weights, base.weights);
  EXPECT_THAT(ApplyDelta({}, base, {}).ids, ElementsAre(3, 5));
}

}  // namespace
}  // namespace convoy
