// When checkpoints are taken, and how the servers agree on one. Of deltas see
// checkpoint_keeper_delta_test.cc.
#include "launcher/coordinator/checkpoint_keeper.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "proto/coordinator.pb.h"
#include "tests/launcher/coordinator/checkpoint_keeper_fixture.h"

namespace convoy {
namespace {

constexpr uint64_t kWhereTheyAre = std::numeric_limits<uint64_t>::max();

void Complete(CheckpointKeeper& keeper, uint64_t version) {
  AllSay(keeper, v1::SnapshotState::ARMED, version);
  AllSay(keeper, v1::SnapshotState::WRITTEN, version);
}

TEST(CheckpointKeeperTest, ArmsTheFirstMultipleAndWritesOnceEveryServerHasArmedIt) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  EXPECT_EQ(keeper.order().number(), 0u);
  EXPECT_TRUE(keeper.Tick(kBegin, 0));
  EXPECT_EQ(keeper.order().version(), 10u);
  EXPECT_FALSE(keeper.order().write());
  EXPECT_FALSE(keeper.OnState(0, Says(keeper, v1::SnapshotState::ARMED), kBegin));
  EXPECT_FALSE(keeper.order().write());
  EXPECT_TRUE(keeper.OnState(1, Says(keeper, v1::SnapshotState::ARMED), kBegin));
  EXPECT_TRUE(keeper.order().write());
}

TEST(CheckpointKeeperTest, CommitsWhenEveryServerHasWrittenAndArmsTheNextMultiple) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 0);
  const std::string folder = keeper.order().folder();
  AllSay(keeper, v1::SnapshotState::ARMED, 10);
  keeper.OnState(0, Says(keeper, v1::SnapshotState::WRITTEN, 10), kBegin);
  EXPECT_FALSE(keeper.TakeCommit().has_value());
  keeper.OnState(1, Says(keeper, v1::SnapshotState::WRITTEN, 10), kBegin);
  const auto commit = keeper.TakeCommit();
  ASSERT_TRUE(commit.has_value());
  EXPECT_EQ(commit->step, 10u);
  EXPECT_EQ(commit->folder, folder);
  EXPECT_EQ(commit->files.size(), 2u);
  EXPECT_FALSE(keeper.TakeCommit().has_value());
  EXPECT_TRUE(keeper.OnCommitted(true, kBegin, 23));
  EXPECT_EQ(keeper.order().version(), 30u);
  EXPECT_NE(keeper.order().folder(), folder);
  EXPECT_EQ(keeper.TakeDiscard(), "");
}

TEST(CheckpointKeeperTest, AServerThatIsBeyondTheVersionMakesALaterMultipleNecessary) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 0);
  const std::string folder = keeper.order().folder();
  EXPECT_TRUE(keeper.OnState(1, Says(keeper, v1::SnapshotState::REFUSED, 28), kBegin));
  EXPECT_EQ(keeper.order().version(), 40u);  // 28 and a margin of 4
  EXPECT_EQ(keeper.TakeDiscard(), folder);
  // The margin doubles, so that fast workers are overtaken.
  keeper.OnState(1, Says(keeper, v1::SnapshotState::REFUSED, 48), kBegin);
  EXPECT_EQ(keeper.order().version(), 60u);
}

TEST(CheckpointKeeperTest, WhatASlowServerSaysOfAnOlderOrderChangesNothing) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 0);
  const v1::SnapshotState old = Says(keeper, v1::SnapshotState::REFUSED, 50);
  keeper.OnState(1, Says(keeper, v1::SnapshotState::REFUSED, 12), kBegin);
  const uint64_t version = keeper.order().version();
  EXPECT_FALSE(keeper.OnState(0, old, kBegin));
  EXPECT_EQ(keeper.order().version(), version);
}

TEST(CheckpointKeeperTest, AFailureIsSaidOnceAndTheNextMultipleIsTried) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 0);
  const std::string folder = keeper.order().folder();
  AllSay(keeper, v1::SnapshotState::ARMED, 10);
  v1::SnapshotState failed = Says(keeper, v1::SnapshotState::FAILED_TO_WRITE);
  failed.set_error("no space left");
  EXPECT_TRUE(keeper.OnState(1, failed, kBegin));
  EXPECT_EQ(keeper.TakeFailure(), "server 1: no space left");
  EXPECT_EQ(keeper.TakeFailure(), "");
  EXPECT_EQ(keeper.TakeDiscard(), folder);
  EXPECT_EQ(keeper.order().folder(), "");  // nothing is wanted
  EXPECT_EQ(keeper.failed(), 1u);
  EXPECT_TRUE(keeper.Tick(kBegin, 11));
  EXPECT_EQ(keeper.order().version(), 20u);
}

TEST(CheckpointKeeperTest, ByTimeItTakesOneALittleAheadOfTheFastestWorker) {
  CheckpointKeeper::Options options = EverySteps(0);
  options.every = absl::Seconds(60);
  CheckpointKeeper keeper(options, kBegin);
  EXPECT_FALSE(keeper.Tick(kBegin + absl::Seconds(59), 7));
  EXPECT_EQ(keeper.NextDeadline(), kBegin + absl::Seconds(60));
  EXPECT_TRUE(keeper.Tick(kBegin + absl::Seconds(60), 7));
  EXPECT_EQ(keeper.order().version(), 9u);
}

TEST(CheckpointKeeperTest, OneByTimeComesBeforeAMultipleThatIsFarAway) {
  CheckpointKeeper::Options options = EverySteps(90);
  options.every = absl::Seconds(60);
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 0);
  AllSay(keeper, v1::SnapshotState::ARMED, 90);
  EXPECT_TRUE(keeper.Tick(kBegin + absl::Seconds(60), 7));
  EXPECT_EQ(keeper.order().version(), 9u);
  Complete(keeper, 9);
  EXPECT_TRUE(keeper.OnCommitted(true, kBegin + absl::Seconds(61), 12));
  EXPECT_EQ(keeper.order().version(), 90u);
}

TEST(CheckpointKeeperTest, OneThatIsAskedForComesBeforeAMultipleThatIsFarAway) {
  CheckpointKeeper keeper(EverySteps(90), kBegin);
  keeper.Tick(kBegin, 0);
  AllSay(keeper, v1::SnapshotState::ARMED, 90);
  const uint64_t first = keeper.Request(7);
  EXPECT_TRUE(keeper.Tick(kBegin, 7));
  EXPECT_EQ(keeper.order().version(), 9u);
  EXPECT_EQ(keeper.order().number(), first);
  Complete(keeper, 9);
  EXPECT_TRUE(keeper.OnCommitted(true, kBegin, 12));
  EXPECT_EQ(keeper.order().version(), 90u);  // what was asked for is there
}

TEST(CheckpointKeeperTest, OneThatIsAskedForFollowsOneThatIsBeingWritten) {
  CheckpointKeeper keeper(EverySteps(0), kBegin);
  keeper.Request(5);
  keeper.Tick(kBegin, 5);
  AllSay(keeper, v1::SnapshotState::ARMED, 7);
  const uint64_t first = keeper.Request(8);
  EXPECT_FALSE(keeper.Tick(kBegin, 8));
  EXPECT_EQ(first, keeper.order().number() + 1);
  AllSay(keeper, v1::SnapshotState::WRITTEN, 7);
  EXPECT_TRUE(keeper.OnCommitted(true, kBegin, 8));
  EXPECT_EQ(keeper.order().number(), first);
  EXPECT_EQ(keeper.order().version(), 10u);
}

TEST(CheckpointKeeperTest, OneThatIsComingAnywayWillDo) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 8);
  EXPECT_EQ(keeper.Request(8), keeper.order().number());
  EXPECT_FALSE(keeper.Tick(kBegin, 8));
  EXPECT_EQ(keeper.WaitingFor(), "server 0 to agree on step 10");
}

TEST(CheckpointKeeperTest, OneThatIsAskedForCloseToTheEndIsTheLastOneThoughNoneIsWantedThere) {
  CheckpointKeeper::Options options = EverySteps(0);
  options.at_end = false;
  CheckpointKeeper keeper(options, kBegin);
  keeper.Request(99);
  EXPECT_FALSE(keeper.Tick(kBegin, 99));
  EXPECT_TRUE(keeper.Finish(kBegin, 100));
  EXPECT_EQ(keeper.order().version(), kWhereTheyAre);
}

CheckpointKeeper::Options Exactly(uint64_t every) {
  CheckpointKeeper::Options options = EverySteps(0);
  options.exact_every = every;
  return options;
}

TEST(CheckpointKeeperTest, WorkersHoldAtAVersionThatMustNotBeMissedUntilItIsArmed) {
  CheckpointKeeper keeper(Exactly(20), kBegin);
  EXPECT_EQ(keeper.hold(), 20u);
  EXPECT_TRUE(keeper.Tick(kBegin, 0));
  EXPECT_EQ(keeper.order().version(), 20u);
  AllSay(keeper, v1::SnapshotState::ARMED, 5);
  keeper.Tick(kBegin, 5);
  EXPECT_EQ(keeper.hold(), 20u);  // far away: another one may come before
  keeper.Tick(kBegin, 19);
  EXPECT_EQ(keeper.hold(), 40u);
  AllSay(keeper, v1::SnapshotState::WRITTEN, 20);
  EXPECT_TRUE(keeper.OnCommitted(true, kBegin, 25));
  EXPECT_EQ(keeper.order().version(), 40u);
}

TEST(CheckpointKeeperTest,
     WorkersMayPassAVersionThatServersHadWrittenBeforeItWasKnownThatTheyAreThere) {
  CheckpointKeeper keeper(Exactly(20), kBegin);
  keeper.Tick(kBegin, 5);
  Complete(keeper, 20);
  EXPECT_EQ(keeper.hold(), 20u);
  keeper.Tick(kBegin, 19);
  EXPECT_EQ(keeper.hold(), 40u);
}

TEST(CheckpointKeeperTest, OneByTimeComesBeforeAVersionThatMustNotBeMissedAndNeverBeyondIt) {
  CheckpointKeeper::Options options = Exactly(20);
  options.every = absl::Seconds(60);
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 0);
  AllSay(keeper, v1::SnapshotState::ARMED, 0);
  EXPECT_TRUE(keeper.Tick(kBegin + absl::Seconds(60), 7));
  EXPECT_EQ(keeper.order().version(), 9u);
  // Servers are at the version that workers hold at: it can still be had.
  EXPECT_TRUE(keeper.OnState(0, Says(keeper, v1::SnapshotState::REFUSED, 20), kBegin));
  EXPECT_EQ(keeper.order().version(), 20u);
  EXPECT_EQ(keeper.hold(), 20u);
}

TEST(CheckpointKeeperTest, AVersionThatWorkersMayPassIsNotReplaced) {
  CheckpointKeeper::Options options = Exactly(20);
  options.every = absl::Seconds(60);
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 18);
  AllSay(keeper, v1::SnapshotState::ARMED, 18);
  keeper.Tick(kBegin, 18);
  EXPECT_EQ(keeper.hold(), 40u);
  EXPECT_FALSE(keeper.Tick(kBegin + absl::Seconds(60), 18));
  EXPECT_EQ(keeper.order().version(), 20u);
}

TEST(CheckpointKeeperTest, WhereNothingCanBeWrittenWorkersHoldNoLonger) {
  CheckpointKeeper keeper(Exactly(20), kBegin);
  keeper.Tick(kBegin, 0);
  v1::SnapshotState failed = Says(keeper, v1::SnapshotState::FAILED_TO_WRITE);
  failed.set_error("no space left");
  EXPECT_TRUE(keeper.OnState(0, failed, kBegin));
  EXPECT_EQ(keeper.hold(), 40u);
}

TEST(CheckpointKeeperTest, NobodyHoldsAtTheLastStepNorIfAClientHasPassedTheVersion) {
  CheckpointKeeper keeper(Exactly(60), kBegin);
  keeper.Tick(kBegin, 61);
  EXPECT_EQ(keeper.hold(), 0u);  // the job ends at 100
}

TEST(CheckpointKeeperTest, AVersionIsArmedWhenWorkersHaveArmedItToo) {
  CheckpointKeeper::Options options = EverySteps(10);
  options.workers = {true, false};  // the second is a client that says nothing
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 0);
  AllSay(keeper, v1::SnapshotState::ARMED, 0);
  EXPECT_FALSE(keeper.order().write());
  EXPECT_TRUE(keeper.OnWorkerState(0, Says(keeper, v1::SnapshotState::ARMED), kBegin));
  EXPECT_TRUE(keeper.order().write());
}

TEST(CheckpointKeeperTest, AWorkerThatHasBegunTheStepMakesALaterOneNecessary) {
  CheckpointKeeper::Options options = EverySteps(10);
  options.workers = {true, true};
  CheckpointKeeper keeper(options, kBegin);
  keeper.Tick(kBegin, 0);
  EXPECT_TRUE(keeper.OnWorkerState(1, Says(keeper, v1::SnapshotState::REFUSED, 11), kBegin));
  EXPECT_EQ(keeper.order().version(), 20u);
  EXPECT_TRUE(keeper.Finish(kBegin, 15));
  AllSay(keeper, v1::SnapshotState::ARMED, 15);
  EXPECT_TRUE(keeper.order().write());  // at the end nobody has to be asked
}

TEST(CheckpointKeeperTest, ModesWithoutStepsTakeTheCellsWhereTheyAre) {
  CheckpointKeeper::Options options = EverySteps(10);
  options.rounds = false;
  CheckpointKeeper keeper(options, kBegin);
  EXPECT_FALSE(keeper.Tick(kBegin, 9));
  EXPECT_TRUE(keeper.Tick(kBegin, 12));
  EXPECT_EQ(keeper.order().version(), kWhereTheyAre);
  Complete(keeper, 13);
  EXPECT_FALSE(keeper.OnCommitted(true, kBegin, 14));
  EXPECT_TRUE(keeper.Tick(kBegin, 20));
}

TEST(CheckpointKeeperTest, TheLastOneReplacesOneThatWillNotBeReached) {
  CheckpointKeeper keeper(EverySteps(90), kBegin);
  keeper.Tick(kBegin, 0);
  const std::string folder = keeper.order().folder();
  EXPECT_TRUE(keeper.Finish(kBegin, 40));
  EXPECT_EQ(keeper.order().version(), kWhereTheyAre);
  EXPECT_EQ(keeper.TakeDiscard(), folder);
  EXPECT_FALSE(keeper.done());
  Complete(keeper, 40);
  EXPECT_FALSE(keeper.done());
  EXPECT_FALSE(keeper.OnCommitted(true, kBegin, 40));
  EXPECT_TRUE(keeper.done());
  EXPECT_EQ(keeper.newest(), 40u);
}

TEST(CheckpointKeeperTest, TheLastOneFollowsOneThatIsBeingCommitted) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 0);
  Complete(keeper, 10);
  EXPECT_FALSE(keeper.Finish(kBegin, 12));
  EXPECT_FALSE(keeper.done());
  EXPECT_TRUE(keeper.OnCommitted(true, kBegin, 12));
  EXPECT_EQ(keeper.order().version(), kWhereTheyAre);
  Complete(keeper, 12);
  keeper.OnCommitted(true, kBegin, 12);
  EXPECT_TRUE(keeper.done());
}

TEST(CheckpointKeeperTest, NoneIsTakenTwiceOfTheStepAtWhichTheJobWasStopped) {
  CheckpointKeeper keeper(EverySteps(10), kBegin);
  keeper.Tick(kBegin, 0);
  Complete(keeper, 10);
  keeper.OnCommitted(true, kBegin, 10);
  keeper.Finish(kBegin, 10);
  EXPECT_TRUE(keeper.done());
  EXPECT_EQ(keeper.order().folder(), "");
  EXPECT_EQ(keeper.taken(), 1u);
}

TEST(CheckpointKeeperTest, AtTheLastStepItIsFinishThatTakesOne) {
  CheckpointKeeper::Options options = EverySteps(10);
  options.total_steps = 10;
  CheckpointKeeper keeper(options, kBegin);
  EXPECT_FALSE(keeper.Tick(kBegin, 0));
  EXPECT_TRUE(keeper.Finish(kBegin, 10));
}

TEST(CheckpointKeeperTest, WithoutAFolderNothingIsTaken) {
  CheckpointKeeper::Options options = EverySteps(10);
  options.folder.clear();
  CheckpointKeeper keeper(options, kBegin);
  EXPECT_FALSE(keeper.Tick(kBegin, 50));
  EXPECT_FALSE(keeper.Finish(kBegin, 100));
  EXPECT_TRUE(keeper.done());
  EXPECT_EQ(keeper.order().number(), 0u);
}

}  // namespace
}  // namespace convoy
