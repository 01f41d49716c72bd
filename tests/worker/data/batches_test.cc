#include "worker/data/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/math/random.h"

namespace convoy {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// n, batch size.
constexpr std::pair<uint64_t, uint64_t> kSizes[] = {{1, 1},  {1, 128}, {7, 3},    {9, 3},
                                                    {10, 1}, {3, 10},  {127, 64}, {1000, 128}};

void Count(const Range& range, std::vector<int>* seen) {
  ASSERT_LE(range.begin, range.end);
  ASSERT_LE(range.end, seen->size());
  for (uint64_t i = range.begin; i < range.end; ++i) ++(*seen)[i];
}

TEST(BatchesTest, StepsPerEpochRoundsUp) {
  EXPECT_EQ(StepsPerEpoch(60'000, 128), 469U);  // 468.75
  EXPECT_EQ(StepsPerEpoch(128, 128), 1U);
  EXPECT_EQ(StepsPerEpoch(129, 128), 2U);
  EXPECT_EQ(StepsPerEpoch(1, 128), 1U);
}

TEST(BatchesTest, LastBatchIsShorterAndNeverMixedWithTheNextEpoch) {
  EXPECT_EQ(BatchRange(0, 10, 4), (EpochRange{0, {0, 4}}));
  EXPECT_EQ(BatchRange(2, 10, 4), (EpochRange{0, {8, 10}}));
  EXPECT_EQ(BatchRange(3, 10, 4), (EpochRange{1, {0, 4}}));
  EXPECT_EQ(BatchRange(5, 10, 4), (EpochRange{1, {8, 10}}));
}

TEST(BatchesTest, EveryExampleIsInOneSliceOfOneBatchOfEveryEpoch) {
  for (const auto& [n, batch_size] : kSizes) {
    for (const uint64_t slices : {1, 2, 3, 4, 7, 200}) {
      const uint64_t steps = StepsPerEpoch(n, batch_size);
      for (uint64_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<int> seen(n);
        for (uint64_t step = epoch * steps; step < (epoch + 1) * steps; ++step) {
          const EpochRange batch = BatchRange(step, n, batch_size);
          EXPECT_EQ(batch.epoch, epoch);
          for (uint64_t slice = 0; slice < slices; ++slice) {
            Count(SlicePositions(slice, slices, batch.positions), &seen);
          }
        }
        EXPECT_THAT(seen, Each(1))
            << n << " examples, batch " << batch_size << ", slices " << slices;
      }
    }
  }
}

TEST(BatchesTest, SlicesAreAsTheFormulaSays) {
  // floor(r * 10 / 4): 0, 2, 5, 7, 10.
  EXPECT_EQ(SliceRange(0, 4, 10), (Range{0, 2}));
  EXPECT_EQ(SliceRange(1, 4, 10), (Range{2, 5}));
  EXPECT_EQ(SliceRange(2, 4, 10), (Range{5, 7}));
  EXPECT_EQ(SliceRange(3, 4, 10), (Range{7, 10}));
}

TEST(BatchesTest, FewerExamplesThanSlicesLeaveSomeSlicesEmpty) {
  EXPECT_TRUE(SliceRange(0, 4, 1).empty());
  EXPECT_TRUE(SliceRange(2, 4, 1).empty());
  EXPECT_EQ(SliceRange(3, 4, 1), (Range{0, 1}));
}

TEST(TasksTest, EveryExampleIsInOneBatchOfOneTaskOfEveryEpoch) {
  for (const auto& [n, batch] : kSizes) {
    for (const uint64_t batches_per_task : {1, 2, 16}) {
      const TaskLayout layout = {n, batch, batches_per_task};
      for (uint64_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<int> seen(n);
        for (uint64_t index = 0; index < layout.tasks_per_epoch(); ++index) {
          const TaskRange task = TaskAt(layout, epoch, index);
          EXPECT_GE(TaskBatches(task.positions, batch), 1U);
          EXPECT_LE(TaskBatches(task.positions, batch), batches_per_task);
          for (uint64_t k = 0; k < TaskBatches(task.positions, batch); ++k) {
            const Range positions = TaskBatch(task.positions, batch, k);
            EXPECT_FALSE(positions.empty());
            EXPECT_LE(positions.size(), batch);
            Count(positions, &seen);
          }
        }
        EXPECT_THAT(seen, Each(1)) << n << " examples, batch " << batch;
      }
    }
  }
}

TEST(TasksTest, IdsCountFromOneThroughAllEpochsAndNameTheRange) {
  const TaskLayout layout = {10, 2, 2};  // tasks of 4 positions: 3 an epoch
  ASSERT_EQ(layout.tasks_per_epoch(), 3U);
  EXPECT_EQ(TaskAt(layout, 0, 0), (TaskRange{1, 0, {0, 4}}));
  EXPECT_EQ(TaskAt(layout, 0, 2), (TaskRange{3, 0, {8, 10}}));
  EXPECT_EQ(TaskAt(layout, 1, 0), (TaskRange{4, 1, {0, 4}}));
  for (uint64_t id = 1; id <= 12; ++id) EXPECT_EQ(TaskWithId(layout, id).id, id);
  EXPECT_EQ(TaskWithId(layout, 4), TaskAt(layout, 1, 0));
}

TEST(EpochOrderTest, ShuffledOrderIsTheNamedPermutation) {
  EpochOrder order(1000, 7, true);
  std::vector<uint32_t> examples;
  for (const uint64_t epoch : {0, 1, 1, 0}) {
    const std::vector<uint32_t> expected = SeededPermutation(1000, 7, "data order", epoch);
    order.Examples(epoch, {250, 400}, &examples);
    EXPECT_TRUE(std::equal(examples.begin(), examples.end(), expected.begin() + 250,
                           expected.begin() + 400));
  }
}

TEST(EpochOrderTest, WithoutShufflingTheOrderIsThatOfTheFile) {
  EpochOrder order(1000, 7, false);
  std::vector<uint32_t> examples = {99};
  order.Examples(3, {5, 9}, &examples);
  EXPECT_THAT(examples, ElementsAre(5, 6, 7, 8));
  order.Examples(3, {5, 5}, &examples);
  EXPECT_TRUE(examples.empty());
}

TEST(EpochOrderTest, ADataSetOfOneExampleHasOneOrder) {
  EpochOrder order(1, 7, true);
  std::vector<uint32_t> examples;
  order.Examples(5, {0, 1}, &examples);
  EXPECT_THAT(examples, ElementsAre(0));
}

}  // namespace
}  // namespace convoy
