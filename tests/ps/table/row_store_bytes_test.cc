// What rows cost in memory, counted at the heap and at the arena.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "ps/table/row_store.h"
#include "tests/ps/table/counted_heap.h"

namespace convoy {
namespace {

void Insert(RowStore* store, uint64_t id) {
  bool inserted = false;
  ASSERT_TRUE(store->FindOrInsert(id, &inserted));
}

// The arena's sizes are rounded up to 64 bytes, which these layouts need not be.
constexpr RowLayout kMultipleOfALine = {.dim = 8, .slot_floats = 3};  // 44 + 20 bytes a row

TEST(RowStoreBytesTest, BytesAreThoseOfHeapAndArenaThroughGrowthAndErasing) {
  RowArena arena;
  arena.Free(arena.Allocate(64), 64);
  RowStore store(kMultipleOfALine, &arena);
  const auto held = [&arena, own = HeapBytes()] { return HeapBytes() - own + arena.used_bytes(); };
  const size_t before = HeapBytes();
  for (uint64_t id = 0; id < 2000; ++id) Insert(&store, id);
  // The arena's own books are in the heap too, and it rounds up to 64 bytes: less than 8 KiB.
  EXPECT_GE(held(), store.bytes());
  EXPECT_LT(held(), store.bytes() + 8192);
  for (uint64_t id = 0; id < 2000; ++id) store.Erase(id);
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(arena.used_bytes(), 0u);
  EXPECT_LT(HeapBytes() - before, 8192u);
}

TEST(RowStoreBytesTest, AThousandEmptyStoresTakeTheirOwnSizeOnly) {
  RowArena arena;
  std::vector<RowStore> stores;
  const size_t before = HeapBytes();
  stores.reserve(kTableBuckets);
  for (uint32_t i = 0; i < kTableBuckets; ++i) stores.emplace_back(RowLayout{.dim = 16}, &arena);
  EXPECT_EQ(HeapBytes() - before, kTableBuckets * sizeof(RowStore));
  EXPECT_EQ(arena.used_bytes(), 0u);
}

// 20 buckets with the rows that they have in a table of 10 million, dim 16 with Adagrad.
TEST(RowStoreBytesTest, ARowCostsAtMost32BytesBeyondItsFloatsAtTenMillion) {
  constexpr uint64_t kBuckets = 20, kRows = 10'000'000 * kBuckets / kTableBuckets;
  const RowLayout layout = {.dim = 16, .slot_floats = 16};
  const size_t before = HeapBytes();
  RowArena arena;
  std::vector<RowStore> stores;
  for (uint64_t i = 0; i < kBuckets; ++i) stores.emplace_back(layout, &arena);
  uint64_t rows = 0;
  for (uint64_t id = 0; rows < kRows; ++id) {
    if (BucketOf(id) >= kBuckets) continue;
    Insert(&stores[BucketOf(id)], id);
    ++rows;
  }
  const size_t floats = layout.floats() * sizeof(float) * rows;
  EXPECT_LE(HeapBytes() - before + arena.touched_bytes() - floats, 32 * rows);
}

}  // namespace
}  // namespace convoy
