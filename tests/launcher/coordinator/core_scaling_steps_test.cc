// The step at which workers are divided anew, and what else is decided near it: a checkpoint, a
// stop, early stopping.
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "tests/launcher/coordinator/scaling_fixture.h"

namespace convoy {
namespace {

// Which nobody could stop for, since all were to stop there anyway.
TEST_F(ScalingTest, EarlyStoppingThatIsDecidedAtTheStepOfTheDivisionEndsTheJobThere) {
  StartWithEarlyStopping();
  ReportValidation(2, 1.0);
  for (uint32_t worker = 0; worker < 2; ++worker)
    harness_->BeatNow(harness_->Beat(v1::WORKER, worker, 2));
  ASSERT_TRUE(Scale(1).ok());
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
    ASSERT_EQ(harness_->BeatNow(beat).stop_step(), 4u);
    beat.set_stop_confirmed(4);
    harness_->BeatNow(beat);
  }
  ReportValidation(4, 2.0);
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 3);
  Come(0, 100);
  v1::HeartbeatRequest back = harness_->Beat(v1::WORKER, 0, 0);
  back.set_rejoined_at(4 + 1);
  EXPECT_EQ(harness_->BeatNow(back).stop_step(), 4u);
  back.set_stop_confirmed(4);
  EXPECT_EQ(harness_->BeatNow(back).stop_step(), 4u);
  harness_->Finish(0, 3);
  EXPECT_EQ(harness_->core().phase(), v1::FINISHING);
}

TEST_F(ScalingTest, EarlyStoppingThatIsDecidedBeforeTheStepOfTheDivisionEndsTheJobAtItsOwn) {
  for (const bool scales : {true, false}) {  // or somebody has asked for a stop
    SCOPED_TRACE(scales);
    StartWithEarlyStopping();
    ReportValidation(2, 1.0);
    for (uint32_t worker = 0; worker < 2; ++worker) {
      // They hold before step 4.
      EXPECT_EQ(harness_->BeatNow(harness_->Beat(v1::WORKER, worker, 3)).hold_step(), 4u);
    }
    if (scales) {
      ASSERT_TRUE(Scale(1).ok());
    } else {
      harness_->Stop();
    }
    for (uint32_t worker = 0; worker < 2; ++worker) {
      v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
      ASSERT_EQ(harness_->BeatNow(beat).stop_step(), 5u);
      beat.set_stop_confirmed(5);
      harness_->BeatNow(beat);
    }
    ReportValidation(4, 2.0);
    for (uint32_t worker = 0; worker < 2; ++worker) {
      v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
      beat.set_stop_confirmed(5);
      const v1::HeartbeatReply told = harness_->BeatNow(beat);
      EXPECT_EQ(told.stop_step(), 4u);
      EXPECT_FALSE(told.stop_agreed());
      EXPECT_FALSE(told.divides());
    }
    EXPECT_FALSE(harness_->Look().stopping()) << "it ends by itself";
    for (uint32_t worker = 0; worker < 2; ++worker) {
      v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
      beat.set_stop_confirmed(4);
      EXPECT_EQ(harness_->BeatNow(beat).stop_agreed(), worker == 1);
    }
    for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 3);
    EXPECT_EQ(harness_->core().phase(), v1::FINISHING);
    EXPECT_EQ(Divisions(), 0);
  }
}

TEST_F(ScalingTest, AStopThatIsWantedMeanwhileEndsTheJob) {
  Start("sync", 2);
  ASSERT_TRUE(Scale(3).ok());
  harness_->Stop();
  EXPECT_TRUE(harness_->Look().stopping());
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
    const v1::HeartbeatReply told = harness_->BeatNow(beat);
    EXPECT_FALSE(told.divides());
    beat.set_stop_confirmed(told.stop_step());
    harness_->BeatNow(beat);
  }
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 4);
  EXPECT_EQ(harness_->core().phase(), v1::FINISHING);
  EXPECT_FALSE(LastEvent("divided"));
}

// Of a step that nobody has begun in this life of the job.
TEST_F(ScalingTest, AJobThatGoesOnFromACheckpointIsNotDividedBeforeItsStep) {
  CoordinatorCore::Options options;
  options.job = MakeJob("sync", 1, 2);
  options.job.mutable_training()->set_slices(4);
  options.job.mutable_training()->set_epochs(2);
  CheckpointManifest manifest;
  manifest.step = 12;
  manifest.generation = 3;
  manifest.variables = {{"weight", {3}}};
  manifest.data_fingerprint = 5;
  manifest.mode = "sync";
  manifest.slices = 4;
  manifest.created = "2026-11-27T08:00:00Z";
  manifest.build = "build";
  manifest.instruction_set = "avx2";
  manifest.job = "name: \"toy\"";
  manifest.files = {{"server-0-of-1.safetensors", 1, 1}};
  options.resume = ResumePoint{"/run/checkpoints/step-00000012", std::move(manifest), "/run"};
  harness_.emplace(std::move(options));
  harness_->set_pids();
  harness_->StartAll(1, 2, setup_);
  ASSERT_TRUE(Scale(1).ok());
  uint64_t step = 0;
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker);
    step = harness_->BeatNow(beat).stop_step();
    beat.set_stop_confirmed(step);
    harness_->BeatNow(beat);
  }
  ASSERT_EQ(step, 14u);
  for (uint32_t slice = 0; slice < 4; ++slice) ReportSums(slice / 2, slice, 12, step);
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, step - 1);
  ASSERT_TRUE(LastEvent("divided"));
  EXPECT_EQ((*LastEvent("divided"))["step"], step);
  const v1::Assignment assignment = Come(0, 100);
  ASSERT_EQ(assignment.carried_size(), 4);
  EXPECT_EQ(assignment.carried(0).step_begin(), step);
  // At once again, before anybody has said which step it takes.
  ASSERT_TRUE(Scale(2).ok());
  EXPECT_EQ(harness_->BeatNow(harness_->Beat(v1::WORKER, 0)).stop_step(), step + 2);
  for (uint32_t slice = 0; slice < 4; ++slice) ReportSums(0, slice, step, 20);
  EXPECT_EQ((*LastEvent("train"))["examples"], 80) << "20 steps, none is missing";
}

TEST_F(ScalingTest, ACheckpointBeforeTheDivisionDoesNotWaitForThoseThatAreGone) {
  CoordinatorCore::Options options;
  options.job = MakeJob("sync", 1, 2);
  options.job.mutable_training()->set_slices(2);
  options.job.mutable_training()->set_epochs(2);
  options.job.mutable_checkpoint()->set_every_seconds(0);
  options.job.mutable_checkpoint()->set_every_steps(4);
  options.checkpoints = "/run/checkpoints";
  harness_.emplace(std::move(options));
  harness_->set_build_id("build");
  harness_->set_pids();
  harness_->StartAll(1, 2, setup_);
  const v1::SnapshotOrder order = harness_->BeatNow(harness_->Beat(v1::SERVER, 0)).snapshot();
  ASSERT_EQ(order.version(), 4u);
  const auto say = [&](v1::Role role, uint32_t rank, v1::SnapshotState::Progress progress) {
    v1::HeartbeatRequest beat = harness_->Beat(role, rank);
    beat.mutable_snapshot()->set_number(order.number());
    beat.mutable_snapshot()->set_progress(progress);
    beat.mutable_snapshot()->set_version(4);
    beat.mutable_snapshot()->set_file("server-0-of-1.safetensors");
    harness_->Heartbeat(beat);
  };
  for (uint32_t worker = 0; worker < 2; ++worker) say(v1::WORKER, worker, v1::SnapshotState::ARMED);
  say(v1::SERVER, 0, v1::SnapshotState::ARMED);
  say(v1::SERVER, 0, v1::SnapshotState::WRITTEN);
  for (uint32_t worker = 0; worker < 2; ++worker)
    harness_->BeatNow(harness_->Beat(v1::WORKER, worker, 5));
  // Worker 0 says what it has summed up by then; worker 1 has left out that step.
  v1::ReportRequest partial;
  partial.set_kind(v1::ReportRequest::PARTIAL);
  partial.set_part(0);
  partial.set_step_begin(4);
  partial.set_step_end(4);
  harness_->Report(0, partial);
  EXPECT_FALSE(harness_->commit());
  ASSERT_TRUE(Scale(1).ok());
  EXPECT_GT(StopAll(2), 4u);
  ASSERT_TRUE(LastEvent("divided"));
  ASSERT_TRUE(harness_->commit());
  EXPECT_EQ(harness_->commit()->manifest.step, 4u);
  EXPECT_EQ(harness_->commit()->manifest.progress, "") << "it is not known";
}

}  // namespace
}  // namespace convoy
