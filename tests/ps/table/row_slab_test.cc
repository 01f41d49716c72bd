#include "ps/table/row_slab.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

namespace convoy {
namespace {

// Through all sizes of chunks from 4 to 128 rows and over their borders.
constexpr uint32_t kRows = 5000;

TEST(RowSlabTest, RowsAreNumberedFromZeroAndKeepTheirIds) {
  RowArena arena;
  RowSlab slab({.dim = 1}, &arena);
  for (uint32_t row = 0; row < kRows; ++row) ASSERT_EQ(slab.Add(uint64_t{row} << 33), row);
  EXPECT_EQ(slab.end(), kRows);
  for (uint32_t row = 0; row < kRows; ++row) {
    EXPECT_TRUE(slab.IsUsed(row));
    EXPECT_EQ(slab.IdOf(row), uint64_t{row} << 33);
  }
}

TEST(RowSlabTest, NoTwoRowsShareMemoryAndNoneMoves) {
  constexpr uint32_t kFloats = 5;
  RowArena arena;
  RowSlab slab({.dim = 3, .slot_floats = 2}, &arena);
  std::vector<float*> weights;
  for (uint32_t row = 0; row < kRows; ++row) {
    slab.Add(row);
    const Row added = slab.At(row);
    EXPECT_EQ(added.slots, added.weights + 3);
    for (uint32_t i = 0; i < kFloats; ++i) added.weights[i] = static_cast<float>(row * kFloats + i);
    added.header->updates = row;
    weights.push_back(added.weights);
  }
  for (uint32_t row = 0; row < kRows; ++row) {
    ASSERT_EQ(slab.At(row).weights, weights[row]);
    ASSERT_EQ(slab.At(row).header->updates, row);
    for (uint32_t i = 0; i < kFloats; ++i) {
      ASSERT_EQ(weights[row][i], static_cast<float>(row * kFloats + i));
    }
  }
}

TEST(RowSlabTest, FloatsAreAlignedToALineWhereARowIsAMultipleOfOne) {
  RowArena arena;
  RowSlab slab({.dim = 16, .slot_floats = 16}, &arena);
  for (uint32_t row = 0; row < kRows; ++row) {
    ASSERT_EQ(reinterpret_cast<uintptr_t>(slab.At(slab.Add(row)).weights) % 64, 0u) << row;
  }
}

TEST(RowSlabTest, FreedRowsAreUsedAgainWithNewCounters) {
  RowArena arena;
  RowSlab slab({.dim = 1}, &arena);
  for (uint32_t row = 0; row < 10; ++row) slab.Add(row);
  RowHeader& header = *slab.At(7).header;
  header.updates = header.last_step = header.last_second = 1;
  for (const uint32_t row : {3u, 7u, 5u}) slab.Remove(row);
  EXPECT_FALSE(slab.IsUsed(7));
  const size_t bytes = slab.bytes();
  const std::set<uint32_t> again = {slab.Add(100), slab.Add(101), slab.Add(102)};
  EXPECT_EQ(again, (std::set<uint32_t>{3, 5, 7}));
  EXPECT_EQ(header.updates + header.last_step + header.last_second, 0u);
  EXPECT_TRUE(slab.IsUsed(7));
  EXPECT_EQ(slab.bytes(), bytes);
  EXPECT_EQ(slab.Add(103), 10u);
}

TEST(RowSlabTest, UnfilledChunksAreAtMostAThirtySecondOfTheRows) {
  const RowLayout layout = {.dim = 16, .slot_floats = 16};
  RowArena arena;
  RowSlab slab(layout, &arena);
  const size_t row_bytes = layout.floats() * sizeof(float) + sizeof(RowHeader);
  for (uint32_t row = 0; row < kRows; ++row) {
    slab.Add(row);
    if (row < 128) continue;
    // 16 bytes: a pointer to each chunk, in an array that doubles. From 4 rows a chunk on.
    const size_t directory = 16 * ((row + 1) / 4 + 1);
    ASSERT_LE(slab.bytes(), row_bytes * (row + 1) * 33 / 32 + directory) << row;
  }
}

TEST(RowSlabTest, ClearGivesAllMemoryBack) {
  RowArena arena;
  RowSlab slab({.dim = 1}, &arena);
  for (uint32_t row = 0; row < kRows; ++row) slab.Add(row);
  slab.Remove(9);
  slab.Clear();
  EXPECT_EQ(slab.bytes(), 0u);
  EXPECT_EQ(slab.end(), 0u);
  EXPECT_EQ(slab.Add(1), 0u);
}

}  // namespace
}  // namespace convoy
