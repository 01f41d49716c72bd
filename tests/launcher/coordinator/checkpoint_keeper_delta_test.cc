// Checkpoints that have only what has changed since the one before.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/coordinator/checkpoint_keeper.h"
#include "proto/coordinator.pb.h"
#include "tests/launcher/coordinator/checkpoint_keeper_fixture.h"

namespace convoy {
namespace {

// Says that all servers have written what was ordered, and commits it.
void Take(CheckpointKeeper& keeper, uint64_t version, bool delta, bool ok = true,
          uint32_t servers = 2) {
  AllSay(keeper, v1::SnapshotState::ARMED, version, false, servers);
  AllSay(keeper, v1::SnapshotState::WRITTEN, version, delta, servers);
  keeper.TakeCommit();
  keeper.OnCommitted(ok, kBegin, version);
}

CheckpointKeeper::Options TwoDeltas() {
  CheckpointKeeper::Options options = EverySteps(10);
  options.deltas = 2;
  return options;
}

TEST(CheckpointKeeperTest, SoManyInARowAreChangesOfTheOneBefore) {
  CheckpointKeeper keeper(TwoDeltas(), kBegin);
  keeper.Tick(kBegin, 0);
  std::vector<uint64_t> numbers, bases;
  for (uint64_t step = 10; step <= 50; step += 10) {
    numbers.push_back(keeper.order().number());
    bases.push_back(keeper.order().base());
    Take(keeper, step, /*delta=*/bases.back() != 0);
  }
  EXPECT_EQ(bases, std::vector<uint64_t>({0, numbers[0], numbers[1], 0, numbers[3]}));
  EXPECT_TRUE(keeper.Finish(kBegin, 60));
  EXPECT_EQ(keeper.order().base(), 0u) << "the last one is complete";
}

// Its files are open at once when it is read.
TEST(CheckpointKeeperTest, AChainHasNoMoreFilesThanAProcessMayOpen) {
  constexpr uint32_t kServers = 64;
  CheckpointKeeper::Options options = EverySteps(10, kServers);
  options.deltas = 50;
  options.total_steps = 1000;
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 0);
  std::vector<uint64_t> complete;
  for (uint64_t step = 10; step <= 200; step += 10) {
    const bool delta = keeper.order().base() != 0;
    if (!delta) complete.push_back(step);
    Take(keeper, step, delta, /*ok=*/true, kServers);
  }
  EXPECT_EQ(complete, std::vector<uint64_t>({10, 90, 170})) << "8 checkpoints of 64 files";
}

TEST(CheckpointKeeperTest, TheLastOneIsCompleteThoughItsStepHasADelta) {
  CheckpointKeeper keeper(TwoDeltas(), kBegin);
  keeper.Tick(kBegin, 0);
  Take(keeper, 10, /*delta=*/false);
  Take(keeper, 20, /*delta=*/true);
  EXPECT_TRUE(keeper.Finish(kBegin, 20));
  EXPECT_EQ(keeper.order().base(), 0u);
  EXPECT_FALSE(keeper.done());
  Take(keeper, 20, /*delta=*/false);
  EXPECT_TRUE(keeper.done());
}

TEST(CheckpointKeeperTest, OneThatWasNotCommittedIsNoBase) {
  CheckpointKeeper keeper(TwoDeltas(), kBegin);
  keeper.Tick(kBegin, 0);
  const uint64_t first = keeper.order().number();
  Take(keeper, 10, /*delta=*/false);
  Take(keeper, 20, /*delta=*/true, /*ok=*/false);
  EXPECT_EQ(keeper.order().base(), first);
}

TEST(CheckpointKeeperTest, ADeltaThatIsNoNewerThanItsBaseIsDiscarded) {
  CheckpointKeeper::Options options = TwoDeltas();
  options.rounds = false;
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 10);
  Take(keeper, 10, /*delta=*/false);
  ASSERT_TRUE(keeper.Tick(kBegin, 20));
  const std::string folder = keeper.order().folder();
  AllSay(keeper, v1::SnapshotState::ARMED, 10);
  v1::SnapshotState written = Says(keeper, v1::SnapshotState::WRITTEN, 10);
  written.set_delta(true);
  for (uint32_t rank = 0; rank < 2; ++rank) keeper.OnState(rank, written, kBegin);
  EXPECT_FALSE(keeper.TakeCommit().has_value());
  EXPECT_EQ(keeper.TakeDiscard(), folder);
  EXPECT_EQ(keeper.TakeFailure(), "");
  EXPECT_TRUE(keeper.done());
}

}  // namespace
}  // namespace convoy
