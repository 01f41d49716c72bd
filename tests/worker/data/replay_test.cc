#include "worker/data/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "worker/data/interleave.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;

TEST(ReplayTest, AnEpochHasTheShareOfOldExamplesBesideAllNewOnes) {
  EXPECT_EQ(Replay(80, 1000, 0.2).replayed(), 20u);  // 20 of 100
  EXPECT_EQ(Replay(80, 5, 0.2).replayed(), 20u);     // however few there are
  EXPECT_EQ(Replay(100, 100, 0.5).size(), 200u);
  EXPECT_EQ(Replay(10, 10, 0.25).replayed(), 3u);  // 10 / 3, rounded
  EXPECT_EQ(Replay(10, 10, 1e-6).replayed(), 1u);  // at least one
}

TEST(ReplayTest, EveryStretchHasItsShare) {
  for (const double share : {0.01, 0.2, 0.5, 0.7, 0.99}) {
    const Replay replay(997, 300, share);
    const double part = static_cast<double>(replay.replayed()) / static_cast<double>(replay.size());
    for (uint64_t begin = 0; begin < replay.size(); begin += 7) {
      for (const uint64_t length : {1, 10, 64, 333}) {
        const Range positions{begin, std::min(begin + length, replay.size())};
        const Range old = replay.Old(positions), fresh = replay.Fresh(positions);
        ASSERT_EQ(old.size() + fresh.size(), positions.size());
        const double want = part * static_cast<double>(positions.size());
        ASSERT_LT(std::abs(static_cast<double>(old.size()) - want), 1) << share;
      }
    }
  }
}

TEST(ReplayTest, PositionsOfAStretchAreThoseOfItsPieces) {
  const Replay replay(50, 8, 0.3);
  Range fresh{0, 0}, old{0, 0};
  for (uint64_t position = 0; position < replay.size(); ++position) {
    const Range one{position, position + 1};
    EXPECT_EQ(replay.Old(one).size(), replay.IsOld(position) ? 1u : 0u);
    EXPECT_EQ(replay.Fresh(one).begin, fresh.end);
    EXPECT_EQ(replay.Old(one).begin, old.end);
    fresh = replay.Fresh(one);
    old = replay.Old(one);
  }
  EXPECT_EQ(fresh.end, 50u);
  EXPECT_EQ(old.end, replay.replayed());
}

TEST(ReplayOrderTest, OldExamplesTakeTurnsOverAllEpochs) {
  const Replay replay(30, 7, 0.25);  // 10 of 7 in an epoch
  ReplayOrder order(&replay, 3, /*shuffle=*/true);
  std::vector<uint32_t> all, examples;
  std::vector<uint64_t> times;
  for (uint64_t epoch = 0; epoch < 7; ++epoch) {
    order.Examples(epoch, {0, 10}, &examples, &times);
    ASSERT_EQ(examples.size(), 10u);
    std::set<std::pair<uint32_t, uint64_t>> visits;
    for (size_t i = 0; i < 10; ++i) visits.emplace(examples[i], times[i]);
    EXPECT_EQ(visits.size(), 10u) << "no visit is another one of the epoch";
    all.insert(all.end(), examples.begin(), examples.end());
  }
  for (size_t pass = 0; pass < 10; ++pass) {
    std::vector<uint32_t> one(all.begin() + 7 * pass, all.begin() + 7 * pass + 7);
    std::sort(one.begin(), one.end());
    EXPECT_THAT(one, ElementsAre(0, 1, 2, 3, 4, 5, 6)) << "pass " << pass;
  }
}

TEST(ReplayOrderTest, PiecesInAnyOrderAreThoseOfTheWhole) {
  const Replay replay(300, 40, 0.3);
  ReplayOrder whole(&replay, 5, true), pieces(&replay, 5, true), other(&replay, 6, true);
  std::vector<uint32_t> want, got;
  std::vector<uint64_t> times, some;
  whole.Examples(2, {0, replay.replayed()}, &want, &times);
  for (const uint64_t begin : {100, 10, 60}) {
    pieces.Examples(2, {begin, begin + 20}, &got, &some);
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(got[i], want[begin + i]);
      EXPECT_EQ(some[i], times[begin + i]);
    }
  }
  other.Examples(2, {0, replay.replayed()}, &got, &some);
  EXPECT_NE(got, want);
}

TEST(ReplayOrderTest, WithoutShufflingTheyComeInTheOrderOfTheFile) {
  const Replay replay(12, 5, 0.25);  // 4 in an epoch
  ReplayOrder order(&replay, 1, false);
  std::vector<uint32_t> examples;
  std::vector<uint64_t> times;
  order.Examples(1, {0, 4}, &examples, &times);
  EXPECT_THAT(examples, ElementsAre(4, 0, 1, 2));
  EXPECT_THAT(times, ElementsAre(0, 1, 1, 1));
}

// ------------------------------------------------------------------------------ interleaving

TEST(InterleaveTest, DenseExamplesComeWithTheirFeaturesLabelsAndNumbers) {
  Batch a, b, out;
  a.size = 2, b.size = 1, a.features = b.features = 2;
  a.dense.Reserve(4), b.dense.Reserve(2);
  for (size_t i = 0; i < 4; ++i) a.dense[i] = static_cast<float>(i);
  b.dense[0] = 10, b.dense[1] = 11;
  a.labels = {1, 2}, b.labels = {3}, a.examples = {7, 8}, b.examples = {100};
  out.weights = {1, 1};
  Interleave(a, b, {false, true, false}, &out);
  EXPECT_EQ(out.size, 3);
  EXPECT_FALSE(out.sparse);
  EXPECT_THAT(std::vector<float>(out.dense.data(), out.dense.data() + 6),
              ElementsAre(0, 1, 10, 11, 2, 3));
  EXPECT_THAT(out.labels, ElementsAre(1, 3, 2));
  EXPECT_THAT(out.examples, ElementsAre(7, 100, 8));
  EXPECT_TRUE(out.weights.empty());
}

TEST(InterleaveTest, RowsOfAnyLengthKeepTheirEntries) {
  Batch a, b, out;
  a.sparse = b.sparse = true;
  a.size = 2, b.size = 2;
  a.row_offsets = {0, 2, 2}, a.ids = {5, 6}, a.fields = {0, 1}, a.values = {1, 2};
  b.row_offsets = {0, 0, 1}, b.ids = {9}, b.fields = {3}, b.values = {4};
  a.labels = {0, 1}, b.labels = {2, 3}, a.examples = {0, 1}, b.examples = {2, 3};
  Interleave(a, b, {true, true, false, false}, &out);
  EXPECT_THAT(out.row_offsets, ElementsAre(0, 0, 1, 3, 3));
  EXPECT_THAT(out.ids, ElementsAre(9, 5, 6));
  EXPECT_THAT(out.fields, ElementsAre(3, 0, 1));
  EXPECT_THAT(out.values, ElementsAre(4, 1, 2));
  EXPECT_TRUE(out.columns.empty());
  EXPECT_THAT(out.labels, ElementsAre(2, 3, 0, 1));
}

TEST(InterleaveTest, OneOfTheTwoMayBeEmpty) {
  Batch a, b, out;
  a.sparse = b.sparse = true;
  a.size = 1, a.row_offsets = {0, 1}, a.columns = {4}, a.values = {1}, a.labels = {0},
  a.examples = {3};
  b.row_offsets = {0};
  Interleave(a, b, {false}, &out);
  EXPECT_THAT(out.columns, ElementsAre(4));
  Interleave(a, b, {}, &out);
  EXPECT_EQ(out.size, 0);
  EXPECT_THAT(out.row_offsets, ElementsAre(0));
}

}  // namespace
}  // namespace convoy
