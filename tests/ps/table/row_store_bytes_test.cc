// What rows cost in memory, counted at the heap.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "ps/table/row_store.h"
#include "tests/ps/table/counted_heap.h"

namespace convoy {
namespace {

void Insert(RowStore* store, uint64_t id) {
  bool inserted = false;
  ASSERT_TRUE(store->FindOrInsert(id, &inserted));
}

TEST(RowStoreBytesTest, BytesAreThoseOfTheHeapThroughGrowthAndErasing) {
  const size_t before = HeapBytes();
  RowStore store({.dim = 5, .slot_floats = 3});
  for (uint64_t id = 0; id < 2000; ++id) {
    Insert(&store, id);
    ASSERT_EQ(store.bytes(), HeapBytes() - before) << id;
  }
  for (uint64_t id = 0; id < 2000; ++id) {
    store.Erase(id);
    ASSERT_EQ(store.bytes(), HeapBytes() - before) << id;
  }
  EXPECT_EQ(HeapBytes(), before);
}

TEST(RowStoreBytesTest, AThousandEmptyStoresTakeTheirOwnSizeOnly) {
  const size_t before = HeapBytes();
  const std::vector<RowStore> stores = [] {
    std::vector<RowStore> made;
    made.reserve(kTableBuckets);
    for (uint32_t i = 0; i < kTableBuckets; ++i) made.emplace_back(RowLayout{.dim = 16});
    return made;
  }();
  EXPECT_EQ(HeapBytes() - before, kTableBuckets * sizeof(RowStore));
}

// 20 buckets with the rows that they have in a table of 10 million, dim 16 with Adagrad.
TEST(RowStoreBytesTest, ARowCostsAtMost32BytesBeyondItsFloatsAtTenMillion) {
  constexpr uint64_t kBuckets = 20, kRows = 10'000'000 * kBuckets / kTableBuckets;
  const RowLayout layout = {.dim = 16, .slot_floats = 16};
  const size_t before = HeapBytes();
  auto stores = std::make_unique<std::vector<RowStore>>();
  for (uint64_t i = 0; i < kBuckets; ++i) stores->emplace_back(layout);
  uint64_t rows = 0;
  for (uint64_t id = 0; rows < kRows; ++id) {
    if (BucketOf(id) >= kBuckets) continue;
    Insert(&(*stores)[BucketOf(id)], id);
    ++rows;
  }
  const size_t floats = layout.floats() * sizeof(float) * rows;
  EXPECT_LE(HeapBytes() - before - floats, 32 * rows);
}

}  // namespace
}  // namespace convoy
