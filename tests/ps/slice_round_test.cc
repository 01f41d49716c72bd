#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "ps/block_sum.h"
#include "tests/ps/test_server.h"

namespace convoy {
namespace {

using testing::Bits;
using testing::Floats;
using testing::Values;
using Parts = std::vector<std::vector<float>>;

// Values whose sum depends on the order: large ones that cancel, and small ones.
Parts OrderSensitive(uint32_t slices) {
  Parts parts;
  for (uint32_t s = 0; s < slices; ++s) {
    const float sign = s % 2 ? -1.0f : 1.0f;
    parts.push_back(
        {sign * 1e8f + static_cast<float>(s), 0.1f * static_cast<float>(s + 1), sign * 3e-8f});
  }
  return parts;
}

std::vector<uint32_t> SumInOrder(const SliceTree& tree, const Parts& parts,
                                 const std::vector<uint32_t>& order) {
  BufferPool pool({.poison = true});
  BlockRound round(&tree, BlockAdder(&pool));
  for (uint32_t slice : order) {
    EXPECT_FALSE(round.Has({0, slice}));
    EXPECT_EQ(round.Complete(), nullptr);
    round.Add({0, slice}, {parts[slice].empty() ? Payload() : Floats(parts[slice]), slice + 1});
    EXPECT_TRUE(round.Has({0, slice}));
  }
  EXPECT_EQ(round.Complete()->examples, tree.slices() * (tree.slices() + 1) / 2);
  return Bits(Values(round.Complete()->values));
}

TEST(SliceRoundTest, EveryOrderOfArrivalGivesTheBitsOfTheTree) {
  for (uint32_t slices = 1; slices <= 4; ++slices) {
    const SliceTree tree(slices);
    const Parts parts = OrderSensitive(slices);
    std::vector<uint32_t> order(slices);
    std::iota(order.begin(), order.end(), 0);
    do {
      EXPECT_EQ(SumInOrder(tree, parts, order), Bits(testing::TreeSum(parts)));
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(SliceRoundTest, EmptyPartsLeaveTheBitsOfTheOthersAlone) {
  const SliceTree tree(3);
  for (uint32_t mask = 1; mask < 8; ++mask) {
    Parts parts(3);
    for (uint32_t s = 0; s < 3; ++s) {
      if (mask >> s & 1) parts[s] = {-0.0f, 1.0f, 1e-45f};  // -0 + 0 would be +0
    }
    EXPECT_EQ(SumInOrder(tree, parts, {2, 0, 1}), Bits(testing::TreeSum(parts))) << mask;
  }
}

TEST(SliceRoundTest, NothingFromAnySliceIsAnEmptySum) {
  const SliceTree tree(2);
  EXPECT_TRUE(SumInOrder(tree, Parts(2), {1, 0}).empty());
}

TEST(SliceRoundTest, ASubtreeSupersedesItsLeavesAndTheyAreKnownAfterIt) {
  const SliceTree tree(4);
  BufferPool pool({.poison = true});
  BlockRound round(&tree, BlockAdder(&pool));
  round.Add({0, 2}, {Floats({5}), 1});
  EXPECT_FALSE(round.Has({1, 1})) << "slice 3 is missing";
  round.Add({1, 1}, {Floats({7}), 2});
  EXPECT_EQ(round.stored_bytes(), 4u) << "the leaf is gone";
  EXPECT_TRUE(round.Has({0, 2}) && round.Has({0, 3}) && round.Has({1, 1}));
  EXPECT_EQ(round.Missing(), (std::vector<uint32_t>{0, 1}));
  round.Add({0, 1}, {Floats({1}), 1});
  EXPECT_EQ(round.LowestMissing(), 0u);
  round.Add({0, 0}, {Floats({2}), 1});
  ASSERT_NE(round.Complete(), nullptr);
  EXPECT_EQ(Values(round.Complete()->values), (std::vector<float>{10}));
  EXPECT_EQ(round.Complete()->examples, 4u);
  EXPECT_TRUE(round.Missing().empty());
  EXPECT_EQ(round.LowestMissing(), 4u);
}

TEST(SliceRoundTest, NeighboursAreAddedUpAtOnceSoThatMemoryStaysSmall) {
  const SliceTree tree(8);
  BufferPool pool({});
  BlockRound round(&tree, BlockAdder(&pool));
  for (uint32_t s = 0; s < 7; ++s) round.Add({0, s}, {Floats({1}), 1});
  EXPECT_EQ(round.stored_bytes(), 3 * sizeof(float)) << "4 + 2 + 1 slices";
  round.Clear();
  EXPECT_EQ(round.stored_bytes(), 0u);
  EXPECT_EQ(pool.live_bytes(), 0u);
  EXPECT_FALSE(round.Has({0, 0}));
}

TEST(SliceRoundTest, ASliceWithoutANeighbourStandsForItsAncestors) {
  const SliceTree tree(5);
  BufferPool pool({});
  BlockRound round(&tree, BlockAdder(&pool));
  round.Add({0, 4}, {Floats({1}), 1});
  EXPECT_TRUE(round.Has({1, 2}) && round.Has({2, 1}));
  EXPECT_FALSE(round.Has(tree.root()));
}

}  // namespace
}  // namespace convoy
