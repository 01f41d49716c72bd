// Another number of workers while the job is under way: on demand, by a worker that joins, and
// after a loss.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

class ScalingTest : public ::testing::Test {
 protected:
  // 40 examples in global batches of 4: ten steps an epoch; tasks of one batch of 2.
  void Start(const std::string& mode, uint32_t workers, const std::string& on_loss = "") {
    v1::Job job = MakeJob(mode, 1, workers);
    job.mutable_training()->set_slices(4);
    job.mutable_training()->set_epochs(2);
    job.mutable_training()->set_report_every_steps(5);
    job.mutable_training()->set_batches_per_task(1);
    job.mutable_cluster()->set_lost_after_ms(10'000);
    job.mutable_cluster()->set_startup_timeout_ms(60'000);
    if (on_loss == "CONTINUE") {
      job.mutable_cluster()->set_on_worker_loss(v1::Cluster::CONTINUE);
      job.mutable_cluster()->set_min_workers(2);
    }
    harness_.emplace(job);
    harness_->set_pids();
    harness_->StartAll(1, workers, MakeSetup(40, 0));
  }
  absl::Status Scale(uint32_t workers) { return harness_->Error(harness_->Scale(workers)); }
  v1::RegisterRequest Newcomer(int rank, uint64_t pid) const {
    v1::RegisterRequest request;
    request.set_role(v1::WORKER);
    request.set_wanted_rank(rank);
    request.set_pid(pid);
    request.set_build_id(build_id_);
    return request;
  }
  // All workers agree on the step, say that they have taken the one before it, and finish.
  uint64_t StopAll(uint32_t workers) {
    uint64_t step = 0;
    for (uint32_t worker = 0; worker < workers; ++worker) {
      v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
      const v1::HeartbeatReply told = harness_->BeatNow(beat);
      EXPECT_TRUE(told.divides());
      step = told.stop_step();
      beat.set_stop_confirmed(step);
      harness_->BeatNow(beat);
    }
    for (uint32_t worker = 0; worker < workers; ++worker) harness_->Finish(worker, step - 1);
    return step;
  }
  bool IsToRegister(const v1::Identity& identity) {
    v1::HeartbeatRequest beat;
    *beat.mutable_identity() = identity;
    return harness_->BeatNow(beat).register_again();
  }
  // A worker takes a place, and is ready.
  v1::Assignment Come(int rank, uint64_t pid) {
    const auto reply = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(rank, pid)));
    EXPECT_TRUE(reply.rejoins());
    harness_->Adopt(v1::WORKER, reply.identity().rank(), reply.identity());
    return harness_->Answer<v1::Assignment>(
        harness_->MakeReady(v1::WORKER, reply.identity().rank(), setup_));
  }
  v1::ProcessLostReply::Remedy Killed(uint32_t rank, uint64_t pid) {
    v1::ProcessLostRequest lost;
    lost.set_role(v1::WORKER);
    lost.set_rank(rank);
    lost.set_pid(pid);
    lost.set_cause("killed");
    return harness_->Answer<v1::ProcessLostReply>(harness_->ProcessLost(lost)).remedy();
  }
  // Only these workers, and the server, go on saying that they live.
  void WaitWith(const std::vector<uint32_t>& workers, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      harness_->Advance(absl::Seconds(1));
      harness_->Heartbeat(harness_->Beat(v1::SERVER, 0));
      for (const uint32_t rank : workers) harness_->Heartbeat(harness_->Beat(v1::WORKER, rank));
    }
  }
  // Why observers are told that a process is lost; "": they are not.
  std::string LostText(uint64_t pid) {
    const v1::GetProgressReply look = harness_->Look();
    for (const v1::ProcessInfo& process : look.processes()) {
      if (process.pid() == pid) return process.lost();
    }
    return "";
  }
  int Divisions() {
    int count = 0;
    for (size_t i = 0; i < harness_->events().size(); ++i)
      count += harness_->event(i)["kind"] == "divided" ? 1 : 0;
    return count;
  }
  void ReportSums(uint32_t worker, uint64_t slice, uint64_t begin, uint64_t end) {
    v1::ReportRequest sums;
    sums.set_part(slice);
    sums.set_step_begin(begin);
    sums.set_step_end(end);
    *sums.mutable_sums() = MakeSums(end - begin, 1);
    EXPECT_TRUE(harness_->Error(harness_->Report(worker, sums)).ok());
  }
  std::optional<nlohmann::json> LastEvent(const std::string& kind) {
    std::optional<nlohmann::json> last;
    for (size_t i = 0; i < harness_->events().size(); ++i) {
      if (harness_->event(i)["kind"] == kind) last = harness_->event(i);
    }
    return last;
  }

  // Of workers that come later.
  std::string build_id_;
  v1::ReadyRequest setup_ = MakeSetup(40, 0);
  std::optional<CoreHarness> harness_;
};

TEST_F(ScalingTest, WorkersStopAtAStepAndTheirSlicesAreDividedAnew) {
  Start("sync", 2);
  ASSERT_TRUE(Scale(4).ok());
  EXPECT_FALSE(harness_->Look().stopping()) << "nobody has asked the job to stop";
  const v1::Identity old = harness_->Identity(v1::WORKER, 1);
  const uint64_t step = StopAll(2);
  EXPECT_EQ(harness_->core().phase(), v1::TRAINING);
  const auto divided = LastEvent("divided");
  ASSERT_TRUE(divided);
  EXPECT_EQ((*divided)["workers"], 4);
  EXPECT_EQ((*divided)["workers_before"], 2);
  EXPECT_EQ((*divided)["step"], step);
  EXPECT_TRUE(IsToRegister(old));
  EXPECT_EQ(harness_->Look().wanted_workers(), 4u);
  EXPECT_THAT(harness_->Look().waiting_for(), HasSubstr("worker 3 (not there yet)"));
  // Those that were there come for their ranks, newcomers get others.
  EXPECT_EQ(Come(1, 101).slice_begin(), 1u);
  EXPECT_EQ(Come(-1, 900).slice_begin(), 3u);
  EXPECT_EQ(Come(0, 100).slice_begin(), 0u);
  EXPECT_EQ(harness_->Look().wanted_workers(), 4u);
  const v1::Assignment last = Come(-1, 901);
  EXPECT_EQ(last.slice_begin(), 2u);
  EXPECT_EQ(last.slice_end(), 3u);
  EXPECT_EQ(last.world_size(), 4u);
  EXPECT_EQ(last.job().cluster().workers(), 4u);
  EXPECT_EQ(last.generation(), 1u) << "the servers are what they were";
  ASSERT_EQ(last.carried_size(), 1);
  EXPECT_EQ(last.carried(0).step_begin(), step) << "reports begin there";
  EXPECT_EQ(harness_->Look().wanted_workers(), 0u);
  EXPECT_EQ(harness_->Look().waiting_for(), "");
  EXPECT_EQ(harness_->Look().figures().workers_lost(), 0u);
  EXPECT_EQ(harness_->Look().figures().step(), step - 1) << "nobody has begun it";
}

// Which nobody could stop for, since all were to stop there anyway.
TEST_F(ScalingTest, EarlyStoppingThatIsDecidedAtTheStepOfTheDivisionEndsTheJobThere) {
  v1::Job job = MakeJob("sync", 1, 2);
  job.mutable_training()->set_slices(2);
  job.mutable_training()->set_epochs(5);
  job.mutable_training()->mutable_early_stopping()->set_patience(1);
  harness_.emplace(job);
  build_id_ = "build";
  harness_->set_build_id(build_id_);
  harness_->set_pids();
  setup_ = MakeSetup(8, 2);  // 2 steps an epoch
  harness_->StartAll(1, 2, setup_);
  const auto validate = [&](uint64_t step, double loss) {
    for (uint32_t worker = 0; worker < 2; ++worker) {
      v1::ReportRequest report;
      report.set_kind(v1::ReportRequest::VALIDATION);
      report.set_part(worker);
      report.set_step_begin(step - 2);
      report.set_step_end(step);
      *report.mutable_sums() = MakeSums(1, loss);
      EXPECT_TRUE(harness_->Error(harness_->Report(worker, report)).ok());
    }
  };
  validate(2, 1.0);
  for (uint32_t worker = 0; worker < 2; ++worker)
    harness_->BeatNow(harness_->Beat(v1::WORKER, worker, 2));
  ASSERT_TRUE(Scale(1).ok());
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
    ASSERT_EQ(harness_->BeatNow(beat).stop_step(), 4u);
    beat.set_stop_confirmed(4);
    harness_->BeatNow(beat);
  }
  validate(4, 2.0);
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

TEST_F(ScalingTest, ReportsGoOnWhereTheyStopped) {
  Start("sync", 2);
  const auto report = [&](uint32_t worker, uint64_t slice, uint64_t begin, uint64_t end) {
    v1::ReportRequest sums;
    sums.set_part(slice);
    sums.set_step_begin(begin);
    sums.set_step_end(end);
    *sums.mutable_sums() = MakeSums(end - begin, 1);
    EXPECT_TRUE(harness_->Error(harness_->Report(worker, sums)).ok());
  };
  ASSERT_TRUE(Scale(1).ok());
  // Reports come before a worker says that it has finished.
  uint64_t step = 0;
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, worker, 3);
    step = harness_->BeatNow(beat).stop_step();
    beat.set_stop_confirmed(step);
    harness_->BeatNow(beat);
  }
  for (uint64_t slice = 0; slice < 4; ++slice) {
    report(static_cast<uint32_t>(slice / 2), slice, 0, step);
  }
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, step - 1);
  Come(0, 100);
  v1::HeartbeatRequest back = harness_->Beat(v1::WORKER, 0, step);
  back.set_rejoined_at(step + 1);
  harness_->BeatNow(back);
  for (uint64_t slice = 0; slice < 4; ++slice) report(0, slice, step, 10);
  const auto last = LastEvent("train");
  ASSERT_TRUE(last);
  EXPECT_EQ((*last)["step"], 10);
  EXPECT_EQ((*last)["examples"], 40) << "none is missing, none counts twice";
  EXPECT_FALSE(LastEvent("rejoined"));
}

TEST_F(ScalingTest, TasksThatWorkersHeldAreHandedOutAgainFirst) {
  Start("async", 2);
  const auto task = [&](uint32_t worker, uint64_t completed) {
    return harness_->Answer<v1::NextTaskReply>(harness_->NextTask(worker, completed)).task().id();
  };
  EXPECT_EQ(task(0, 0), 1u);
  EXPECT_EQ(task(1, 0), 2u);
  EXPECT_EQ(task(0, 1), 3u);
  ASSERT_TRUE(Scale(3).ok());
  EXPECT_TRUE(harness_->Answer<v1::NextTaskReply>(harness_->NextTask(0, 0)).end());
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 1);
  for (uint32_t worker = 0; worker < 3; ++worker) Come(static_cast<int>(worker), 100 + worker);
  EXPECT_EQ(task(2, 0), 2u);
  EXPECT_EQ(task(0, 0), 3u);
  EXPECT_EQ(task(1, 0), 4u);
  EXPECT_EQ(task(2, 2), 5u);
}

TEST_F(ScalingTest, AWorkerThatFindsNoPlaceMakesRoomForItself) {
  Start("async", 2);
  CallId call = harness_->Register(Newcomer(-1, 900));
  EXPECT_EQ(harness_->Error(call).code(), absl::StatusCode::kAborted);
  call = harness_->Register(Newcomer(-1, 900));
  EXPECT_EQ(harness_->Error(call).code(), absl::StatusCode::kAborted) << "not yet";
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 1);
  EXPECT_EQ((*LastEvent("divided"))["workers"], 3);
  EXPECT_EQ(harness_->Look().wanted_workers(), 0u) << "nobody has to start one";
  Come(-1, 900);
  EXPECT_EQ(harness_->Identity(v1::WORKER, 2).rank(), 2u);
}

TEST_F(ScalingTest, WhereThereIsNothingToDoNobodyJoins) {
  Start("sync", 4);
  const absl::Status refused = harness_->Error(harness_->Register(Newcomer(-1, 900)));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the job has 4 workers"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("needs training.slices: 5"));
}

TEST_F(ScalingTest, OneThatIsNotNeededAnyMoreDoesNotJoinAgain) {
  Start("async", 3);
  ASSERT_TRUE(Scale(1).ok());
  const v1::Identity slow = harness_->Identity(v1::WORKER, 2);
  for (uint32_t worker = 0; worker < 3; ++worker) harness_->Finish(worker, 1);
  Come(0, 100);
  // It asks for the rank it had, then for any.
  EXPECT_EQ(harness_->Error(harness_->Register(Newcomer(2, 102))).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(harness_->Error(harness_->Register(Newcomer(-1, 102))).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(harness_->core().phase(), v1::TRAINING);
  EXPECT_EQ((*LastEvent("divided"))["workers"], 1);
  // One that hears of it late is not told that it has failed.
  harness_->Stop();
  harness_->Finish(0, 1);
  EXPECT_EQ(harness_->core().phase(), v1::FINISHING);
  EXPECT_TRUE(IsToRegister(slow));
}

TEST_F(ScalingTest, AJobThatMayGoOnWithoutALostWorkerDoesSoAtOnce) {
  Start("sync", 3, "CONTINUE");
  v1::ProcessLostRequest lost;
  lost.set_role(v1::WORKER);
  lost.set_rank(1);
  lost.set_cause("killed");
  EXPECT_EQ(harness_->Answer<v1::ProcessLostReply>(harness_->ProcessLost(lost)).remedy(),
            v1::ProcessLostReply::NOTHING);
  ASSERT_TRUE(LastEvent("divided"));
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  EXPECT_FALSE(LastEvent("divided")->contains("step")) << "the servers know";
  EXPECT_TRUE(IsToRegister(harness_->Identity(v1::WORKER, 0)));
  Come(0, 100);
  EXPECT_EQ(Come(-1, 102).slice_begin(), 2u);
  // One would be too few.
  EXPECT_EQ(harness_->Answer<v1::ProcessLostReply>(harness_->ProcessLost(lost)).remedy(),
            v1::ProcessLostReply::REPLACE);
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

TEST_F(ScalingTest, WhatCannotBeIsRefusedWithTheReason) {
  Start("sync", 2);
  EXPECT_THAT(std::string(Scale(2).message()), HasSubstr("the job has 2 workers already"));
  EXPECT_THAT(std::string(Scale(5).message()), HasSubstr("got 5, want at most 4"));
  ASSERT_TRUE(Scale(4).ok());
  EXPECT_THAT(std::string(Scale(3).message()), HasSubstr("are being divided anew already"));
  StopAll(2);
  EXPECT_THAT(std::string(Scale(3).message()), HasSubstr("the job waits for worker 0"));
}

TEST_F(ScalingTest, OneThatDoesNotComeEndsTheJobSoThatItCanBeRestored) {
  Start("sync", 2);
  ASSERT_TRUE(Scale(3).ok());
  StopAll(2);
  Come(0, 100);
  Come(1, 101);
  for (int i = 0; i < 61; ++i) {
    harness_->Advance(absl::Seconds(1));
    harness_->Heartbeat(harness_->Beat(v1::SERVER, 0));
    for (uint32_t worker = 0; worker < 2; ++worker) {
      harness_->Heartbeat(harness_->Beat(v1::WORKER, worker, 5));
    }
  }
  EXPECT_EQ(harness_->core().phase(), v1::FAILED);
  EXPECT_THAT(harness_->core().failure(), HasSubstr("worker 2 has not come since the workers were "
                                                    "divided anew, and nobody took its place"));
  EXPECT_TRUE(harness_->Look().restorable());
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

TEST_F(ScalingTest, TwoThatAreMissedAtTheSameTimeAreGoneOnWithoutAtOnce) {
  Start("sync", 4, "CONTINUE");
  WaitWith({0, 1}, 10);
  EXPECT_EQ(Divisions(), 1);
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  EXPECT_THAT(LostText(102), HasSubstr("was not heard of"));
  EXPECT_THAT(LostText(103), HasSubstr("was not heard of"));
  EXPECT_EQ(LostText(100), "");
  EXPECT_EQ(Come(0, 100).slice_end(), 2u);
  EXPECT_EQ(Come(1, 101).slice_end(), 4u);
  EXPECT_EQ(Killed(2, 102), v1::ProcessLostReply::NOTHING);
  EXPECT_EQ(LostText(102), "");
  WaitWith({0, 1}, 70);
  EXPECT_EQ(harness_->core().phase(), v1::TRAINING) << harness_->core().failure();
  EXPECT_EQ(LostText(103), "") << "whoever it concerns has heard it";
}

TEST_F(ScalingTest, APlaceOfADivisionThatNobodyTakesIsGivenUp) {
  Start("sync", 4, "CONTINUE");
  const v1::Identity late = harness_->Identity(v1::WORKER, 3);
  EXPECT_EQ(Killed(1, 101), v1::ProcessLostReply::NOTHING);
  ASSERT_EQ((*LastEvent("divided"))["workers"], 3);
  Come(0, 100);
  Come(1, 102);
  WaitWith({0, 1}, 6);
  EXPECT_TRUE(IsToRegister(late)) << "it lives, within a long step";
  WaitWith({0, 1}, 9);
  EXPECT_EQ(Divisions(), 1);
  WaitWith({0, 1}, 1);
  ASSERT_EQ(Divisions(), 2) << harness_->core().failure();
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  EXPECT_EQ((*LastEvent("lost"))["process"], "worker 2") << "the place";
  EXPECT_THAT(LostText(103), HasSubstr("worker 3 has not come"));
  Come(0, 100);
  Come(1, 102);
  EXPECT_EQ(Killed(3, 103), v1::ProcessLostReply::NOTHING);
  EXPECT_EQ(Killed(3, 103), v1::ProcessLostReply::NOTHING) << "repeated";
  EXPECT_EQ(harness_->core().phase(), v1::TRAINING);
  EXPECT_EQ(harness_->Look().waiting_for(), "");
}

TEST_F(ScalingTest, OneOfTheOldOnesThatDiesBeforeItComesIsGoneOnWithout) {
  Start("sync", 4, "CONTINUE");
  EXPECT_EQ(Killed(1, 101), v1::ProcessLostReply::NOTHING);
  EXPECT_EQ(Killed(3, 103), v1::ProcessLostReply::NOTHING);
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  EXPECT_EQ(Killed(3, 103), v1::ProcessLostReply::NOTHING) << "repeated";
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  Come(0, 100);
  Come(-1, 102);
  EXPECT_EQ(harness_->Look().waiting_for(), "");
}

TEST_F(ScalingTest, WherePlacesMustBeTakenTheJobFailsAsItDidBefore) {
  Start("sync", 3, "CONTINUE");
  EXPECT_EQ(Killed(1, 101), v1::ProcessLostReply::NOTHING);
  Come(0, 100);
  WaitWith({0}, 59);  // one would be too few
  EXPECT_EQ(harness_->core().phase(), v1::TRAINING);
  EXPECT_EQ(Divisions(), 1);
  WaitWith({0}, 1);
  EXPECT_THAT(harness_->core().failure(), HasSubstr("nobody took its place within 60 s"));
}

TEST_F(ScalingTest, ARequestThatIsRepeatedIsTakenOnce) {
  Start("sync", 2);
  ASSERT_TRUE(Scale(4).ok());
  EXPECT_TRUE(Scale(4).ok());
  EXPECT_FALSE(Scale(3).ok());
  StopAll(2);
  EXPECT_TRUE(Scale(4).ok()) << "the answer was lost, and the workers were fast";
  for (uint32_t worker = 0; worker < 4; ++worker) Come(static_cast<int>(worker), 100 + worker);
  EXPECT_TRUE(Scale(4).ok());
  EXPECT_EQ(Divisions(), 1);
  EXPECT_FALSE(harness_->BeatNow(harness_->Beat(v1::WORKER, 0, 5)).divides());
}

TEST_F(ScalingTest, ForOneThatHasLeftMeanwhileThereIsNoPlace) {
  Start("async", 2);
  harness_->Register(Newcomer(-1, 900));
  harness_->Advance(absl::Seconds(1));
  harness_->Register(Newcomer(-1, 900));
  harness_->Advance(absl::Seconds(2));
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 1);
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  Come(0, 100);
  Come(1, 101);
  EXPECT_EQ(harness_->Look().waiting_for(), "");
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

TEST_F(ScalingTest, EarlyStoppingThatIsDecidedBeforeTheStepOfTheDivisionEndsTheJobAtItsOwn) {
  for (const bool scales : {true, false}) {  // or somebody has asked for a stop
    SCOPED_TRACE(scales);
    v1::Job job = MakeJob("sync", 1, 2);
    job.mutable_training()->set_slices(2);
    job.mutable_training()->set_epochs(5);
    job.mutable_training()->mutable_early_stopping()->set_patience(1);
    harness_.emplace(job);
    harness_->set_build_id("build");
    harness_->set_pids();
    harness_->StartAll(1, 2, MakeSetup(8, 2));  // 2 steps an epoch
    const auto validate = [&](uint64_t step, double loss) {
      for (uint32_t worker = 0; worker < 2; ++worker) {
        v1::ReportRequest report;
        report.set_kind(v1::ReportRequest::VALIDATION);
        report.set_part(worker);
        report.set_step_begin(step - 2);
        report.set_step_end(step);
        *report.mutable_sums() = MakeSums(1, loss);
        EXPECT_TRUE(harness_->Error(harness_->Report(worker, report)).ok());
      }
    };
    validate(2, 1.0);
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
    validate(4, 2.0);
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

TEST_F(ScalingTest, WhereTheOtherOldOnesAreEnoughOneThatDiesIsNotReplaced) {
  Start("async", 3);
  ASSERT_TRUE(Scale(2).ok());
  for (uint32_t worker = 0; worker < 3; ++worker) harness_->Finish(worker, 1);
  ASSERT_EQ((*LastEvent("divided"))["workers"], 2);
  EXPECT_EQ(Killed(0, 100), v1::ProcessLostReply::NOTHING);
  EXPECT_EQ(Killed(0, 100), v1::ProcessLostReply::NOTHING) << "repeated";
  Come(1, 101);
  EXPECT_EQ(Killed(2, 102), v1::ProcessLostReply::REPLACE) << "the last one for the other place";
  EXPECT_EQ(Killed(2, 102), v1::ProcessLostReply::REPLACE) << "repeated";
  Come(-1, 900);
  EXPECT_EQ(harness_->Look().waiting_for(), "");
  EXPECT_EQ(harness_->core().phase(), v1::TRAINING);
}

}  // namespace
}  // namespace convoy
