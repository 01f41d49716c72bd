#include "ps/cell.h"

#include <gtest/gtest.h>

#include "tests/ps/test_server.h"

namespace convoy {
namespace {

using testing::Floats;
using testing::Values;
using Pushed = Cell::Pushed;
using Pulled = Cell::Pulled;

// One cell of two elements, at 0 and 0; momentum 0.5 and rate 1.
class CellTest : public ::testing::Test {
 protected:
  void Make(uint32_t slices, Mode mode = {}, double learning_rate = 1, int64_t budget = 1 << 20) {
    tree_ = std::make_unique<SliceTree>(slices);
    v1::Optimizer config;
    config.mutable_momentum()->set_momentum(0.5);
    optimizer_ = *MakeOptimizer(*SettingsFor(config, "w"));
    Cell::Options options;
    options.progress.policy = ConsistencyPolicy::For(mode);
    options.progress.tree = tree_.get();
    options.pool = &pool_;
    options.optimizer = optimizer_.get();
    options.base_learning_rate = learning_rate;
    options.schedule = [](uint64_t examples) { return examples < 10 ? 1.0 : 0.5; };
    options.progress.stored_bytes = &stored_;
    options.progress.stored_bytes_budget = budget;
    cell_ = std::make_unique<Cell>(options, AlignedBuffer(2));
  }
  Cell::PushResult Push(uint64_t step, TreeNode node, const std::vector<float>& values,
                        uint64_t examples = 1) {
    return cell_->Push({step, node}, step, values.empty() ? Payload() : Floats(values), examples,
                       &released_);
  }
  Cell::PushResult PushBatch(uint64_t task, uint64_t batch, const std::vector<float>& values,
                             uint64_t base = 0) {
    return cell_->Push({0, {}, task, batch}, base, Floats(values), 1, &released_);
  }
  ParkedPull Place() {
    auto ticket = std::make_shared<PullTicket>();
    ticket->reply.cells.resize(1);
    ticket->reply.cells[0].cell = 42;
    return {ticket, 0, 0};
  }

  BufferPool pool_{{.poison = true}};
  std::unique_ptr<SliceTree> tree_;
  std::unique_ptr<Optimizer> optimizer_;
  std::atomic<int64_t> stored_{0};
  std::unique_ptr<Cell> cell_;
  std::vector<ParkedPull> released_;
};

TEST_F(CellTest, AStepIsAppliedWhenTheLastSliceIsThere) {
  Make(2);
  EXPECT_EQ(Push(0, {0, 1}, {4, 8}, 3).outcome, Pushed::kStored);
  EXPECT_EQ(stored_, 8);
  EXPECT_EQ(cell_->MissingSlices(), (std::vector<uint32_t>{0}));
  EXPECT_EQ(Push(0, {0, 0}, {2, 2}, 1).outcome, Pushed::kApplied);
  EXPECT_EQ(stored_, 0);
  const Cell::State state = cell_->GetState();
  EXPECT_EQ(state.values, (std::vector<float>{-1.5f, -2.5f})) << "(4 + 2) / 4, (8 + 2) / 4";
  EXPECT_EQ(state.counts.version, 1u);
  EXPECT_EQ(state.counts.updates, 1u);
  EXPECT_EQ(state.counts.examples, 4u);
}

TEST_F(CellTest, SecondCopiesPastStepsAndStepsAheadAreTold) {
  Make(4);
  Push(0, {0, 0}, {1, 1});
  EXPECT_EQ(Push(0, {0, 0}, {9, 9}).outcome, Pushed::kDuplicate);
  Push(0, {1, 0}, {2, 2}, 2);
  EXPECT_EQ(Push(0, {0, 1}, {9, 9}).outcome, Pushed::kDuplicate) << "a leaf after its subtree";
  const Cell::PushResult ahead = Push(1, {0, 2}, {9, 9});
  EXPECT_EQ(ahead.outcome, Pushed::kGap);
  EXPECT_EQ(ahead.expected, 0u);
  EXPECT_EQ(Push(0, {1, 1}, {2, 2}, 2).outcome, Pushed::kApplied);
  EXPECT_EQ(Push(0, {1, 1}, {9, 9}, 2).outcome, Pushed::kDuplicate) << "a past step";
  EXPECT_EQ(cell_->GetState().values, (std::vector<float>{-1, -1}));
  EXPECT_EQ(cell_->GetCounts().examples, 4u);
}

TEST_F(CellTest, ASumOverAllSlicesTakesThePlaceOfThoseStored) {
  Make(4);
  Push(0, {0, 1}, {9, 9});
  Push(0, {1, 1}, {9, 9}, 2);
  EXPECT_EQ(stored_, 16);
  EXPECT_EQ(Push(0, {2, 0}, {4, 8}, 4).outcome, Pushed::kApplied);
  EXPECT_EQ(stored_, 0);
  EXPECT_EQ(cell_->GetState().values, (std::vector<float>{-1, -2}));
  EXPECT_EQ(cell_->GetCounts().examples, 4u);
  EXPECT_EQ(cell_->MissingSlices(), (std::vector<uint32_t>{0, 1, 2, 3})) << "of the next step";
}

TEST_F(CellTest, StepsWithoutAGradientOnlyAdvance) {
  Make(2);
  Push(0, {1, 0}, {2, 4}, 2);
  const Cell::State before = cell_->GetState();
  Push(1, {0, 1}, {}, 1);
  EXPECT_EQ(Push(1, {0, 0}, {}, 1).outcome, Pushed::kApplied);
  const Cell::State after = cell_->GetState();
  EXPECT_EQ(after.values, before.values);
  EXPECT_EQ(after.slots, before.slots) << "no decay of the momentum";
  EXPECT_EQ(after.counts.updates, 1u);
  EXPECT_EQ(after.counts.version, 2u);
  EXPECT_EQ(after.counts.examples, 4u) << "the examples were seen";
  Push(2, {1, 0}, {7, 7}, 0);
  EXPECT_EQ(cell_->GetState().slots, before.slots) << "a gradient over no examples is none";
}

TEST_F(CellTest, AFrozenCellOnlyAdvances) {
  Make(1, {}, /*learning_rate=*/0);
  EXPECT_EQ(Push(0, {0, 0}, {2, 4}).outcome, Pushed::kApplied);
  const Cell::State state = cell_->GetState();
  EXPECT_EQ(state.counts.version, 1u);
  EXPECT_EQ(state.counts.updates, 0u);
  EXPECT_EQ(state.values, (std::vector<float>{0, 0}));
  EXPECT_EQ(state.slots[0], (std::vector<float>{0, 0}));
}

TEST_F(CellTest, TheScheduleRunsOnExamplesSeenBeforeTheStep) {
  Make(1);
  Push(0, {0, 0}, {10, 10}, 10);
  EXPECT_EQ(cell_->GetState().values[0], -1);
  // velocity 0.5 * 1 + 1 = 1.5, at half the rate from the 10th example on.
  Push(1, {0, 0}, {1, 1}, 1);
  EXPECT_EQ(cell_->GetState().values[0], -1.75f);
}

TEST_F(CellTest, PullsAreAnsweredWithTheCurrentOrPreviousVersionOrParked) {
  Make(1);
  const auto never = [] {
    ADD_FAILURE() << "parked";
    return ParkedPull();
  };
  for (uint64_t step = 0; step < 3; ++step) Push(step, {0, 0}, {1, 0}, 1);
  const Cell::PullResult current = cell_->Pull(3, never), previous = cell_->Pull(2, never);
  ASSERT_EQ(current.outcome, Pulled::kReady);
  ASSERT_EQ(previous.outcome, Pulled::kReady);
  EXPECT_EQ(current.value.version, 3u);
  EXPECT_EQ(previous.value.version, 2u);
  // velocities 1, 1.5, 1.75
  EXPECT_EQ((*current.value.values)[0], -4.25f);
  EXPECT_EQ((*previous.value.values)[0], -2.5f);
  const Cell::PullResult old = cell_->Pull(1, never);
  EXPECT_EQ(old.outcome, Pulled::kGone);
  EXPECT_EQ(old.current, 3u);
  EXPECT_EQ(cell_->Pull(kNewestVersion, never).value.version, 3u);

  const ParkedPull place = Place();
  EXPECT_EQ(cell_->Pull(4, [&] { return place; }).outcome, Pulled::kParked);
  EXPECT_TRUE(released_.empty());
  Push(3, {0, 0}, {}, 1);
  ASSERT_EQ(released_.size(), 1u);
  const CellValues& filled = place.ticket->reply.cells[0];
  EXPECT_EQ(filled.cell, 42u);
  EXPECT_EQ(filled.version, 4u);
  EXPECT_EQ(Values(filled.values), (std::vector<float>{-4.25f, 0}));
}

TEST_F(CellTest, TheVersionBeforeARestoredOneIsGone) {
  Make(1);
  for (uint64_t step = 0; step < 3; ++step) Push(step, {0, 0}, {1, 0}, 1);
  BlockSnapshot saved = cell_->MakeSnapshot({.counts = {.version = 3}, .marks = {}});
  (*saved.values)[0] = 7;
  cell_->Restore(std::move(saved));
  const auto never = [] { return ParkedPull(); };
  const Cell::PullResult before = cell_->Pull(2, never);
  EXPECT_EQ(before.outcome, Pulled::kGone);
  EXPECT_EQ(before.current, 3u);
  EXPECT_EQ((*cell_->Pull(3, never).value.values)[0], 7);
  Push(3, {0, 0}, {}, 1);
  const Cell::PullResult previous = cell_->Pull(3, never);
  ASSERT_EQ(previous.outcome, Pulled::kReady);
  EXPECT_EQ((*previous.value.values)[0], 7);
}

TEST_F(CellTest, AVersionThatSomebodyReadsIsNeverWrittenTo) {
  Make(1);
  const CellVersion first = cell_->Newest();
  for (uint64_t step = 0; step < 5; ++step) Push(step, {0, 0}, {1, 1}, 1);
  EXPECT_EQ((*first.values)[0], 0) << "neither overwritten nor poisoned";
}

TEST_F(CellTest, OutOfOrderGradientsNeedRoomButTheLowestMissingSliceDoesNot) {
  Make(4, {}, 1, /*budget=*/8);
  EXPECT_EQ(Push(0, {0, 3}, {1, 1}).outcome, Pushed::kStored) << "8 of 8 bytes";
  EXPECT_EQ(Push(0, {0, 2}, {1, 1}).outcome, Pushed::kOverBudget);
  EXPECT_EQ(Push(0, {0, 2}, {}).outcome, Pushed::kStored) << "nothing takes no room";
  EXPECT_EQ(Push(0, {0, 1}, {1, 1}).outcome, Pushed::kOverBudget);
  EXPECT_EQ(Push(0, {0, 0}, {1, 1}).outcome, Pushed::kStored) << "the lowest";
  EXPECT_EQ(Push(0, {0, 1}, {1, 1}).outcome, Pushed::kApplied) << "now the lowest";
  EXPECT_EQ(stored_, 0);
  EXPECT_EQ(cell_->GetState().values, (std::vector<float>{-0.75f, -0.75f}));
}

TEST_F(CellTest, ASubtreeThatContainsTheLowestMissingSliceIsAdmitted) {
  Make(4, {}, 1, /*budget=*/0);
  EXPECT_EQ(Push(0, {1, 1}, {1, 1}, 2).outcome, Pushed::kOverBudget);
  EXPECT_EQ(Push(0, {0, 0}, {1, 1}).outcome, Pushed::kStored);
  EXPECT_EQ(Push(0, {1, 0}, {1, 1}, 2).outcome, Pushed::kStored) << "slice 1 is in it";
  EXPECT_EQ(Push(0, {1, 1}, {1, 1}, 2).outcome, Pushed::kApplied);
}

TEST_F(CellTest, BatchesAreAppliedAtOnceAndCountedOnce) {
  Make(1, {Mode::Kind::kAsync, 0});
  EXPECT_EQ(PushBatch(5, 0, {1, 1}).outcome, Pushed::kApplied);
  EXPECT_EQ(PushBatch(5, 0, {1, 1}).outcome, Pushed::kDuplicate);
  const Cell::PushResult gap = PushBatch(5, 2, {1, 1});
  EXPECT_EQ(gap.outcome, Pushed::kGap);
  EXPECT_EQ(gap.expected, 1u);
  EXPECT_EQ(PushBatch(6, 0, {1, 1}).outcome, Pushed::kApplied) << "another task";
  EXPECT_EQ(cell_->GetCounts().version, 2u);
  EXPECT_EQ(cell_->GetCounts().examples, 2u);
}

TEST_F(CellTest, StalenessIsUpdatesBetweenPullAndPush) {
  Make(1, {Mode::Kind::kAsync, 0});
  EXPECT_EQ(PushBatch(1, 0, {1, 1}, 0).staleness, 0u);
  EXPECT_EQ(PushBatch(2, 0, {1, 1}, 0).staleness, 1u);
  EXPECT_EQ(PushBatch(1, 1, {1, 1}, 0).staleness, 2u);
  EXPECT_EQ(PushBatch(2, 1, {1, 1}, 3).staleness, 0u);
  EXPECT_EQ(PushBatch(3, 0, {1, 1}, 1000).staleness, 0u)
      << "a version from the future is a client's mistake, not 2^64";
}

TEST_F(CellTest, WithABackupTheFirstSlicesMakeTheStepAndTheLastIsGone) {
  Make(3, {.kind = Mode::Kind::kSync, .backup = 1});
  EXPECT_EQ(Push(0, {0, 2}, {4, 8}).outcome, Pushed::kStored);
  EXPECT_EQ(Push(0, {0, 2}, {4, 8}).outcome, Pushed::kDuplicate);
  EXPECT_EQ(Push(0, {0, 0}, {2, 0}).outcome, Pushed::kApplied);
  EXPECT_EQ(Push(0, {0, 1}, {100, 100}).outcome, Pushed::kGone);
  const Cell::State state = cell_->GetState();
  EXPECT_EQ(state.values, (std::vector<float>{-3, -4}));  // the mean of two
  EXPECT_EQ(state.counts.examples, 2u);
  EXPECT_EQ(state.counts.dropped, 1u);
}

TEST_F(CellTest, WithABackupAPullGetsWhatItAskedForOrSomethingNewer) {
  Make(2, {.kind = Mode::Kind::kSync, .backup = 1});
  EXPECT_EQ(cell_->Pull(1, [this] { return Place(); }).outcome, Pulled::kParked);
  Push(0, {0, 1}, {1, 1});
  ASSERT_EQ(released_.size(), 1u);
  Push(1, {0, 0}, {1, 1});
  Push(2, {0, 0}, {1, 1});
  const Cell::PullResult old = cell_->Pull(1, [this] { return Place(); });
  EXPECT_EQ(old.outcome, Pulled::kReady);
  EXPECT_EQ(old.value.version, 3u);
}

TEST_F(CellTest, TheRateOfAStaleGradientIsDividedByOnePlusItsStaleness) {
  Make(1, {.kind = Mode::Kind::kAsync, .scale_by_staleness = true});
  PushBatch(1, 0, {2, 0}, /*base=*/0);  // fresh: -2
  PushBatch(1, 1, {0, 2},
            /*base=*/0);  // one update behind: rate 1/2; the momentum of element 0 is 1
  EXPECT_EQ(cell_->GetState().values, (std::vector<float>{-2.5f, -1}));
}

}  // namespace
}  // namespace convoy
