// Workers that are lost while the job is under way, and those that take their places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

class LossTest : public ::testing::Test {
 protected:
  // 40 examples in global batches of 4: ten steps an epoch; tasks of one batch of 2.
  explicit LossTest(const std::string& mode = "sync") {
    v1::Job job = MakeJob(mode, 1, 2);
    job.mutable_training()->set_epochs(2);
    job.mutable_training()->set_report_every_steps(5);
    job.mutable_training()->set_batches_per_task(1);
    job.mutable_cluster()->set_lost_after_ms(10'000);
    job.mutable_cluster()->set_startup_timeout_ms(60'000);
    harness_.emplace(job);
    harness_->StartAll(1, 2, MakeSetup(40, 0));
  }

  // All but worker 1 go on saying that they live.
  void WaitWithoutWorker1(int seconds, uint64_t step = 0) {
    for (int i = 0; i < seconds; ++i) {
      harness_->Advance(absl::Seconds(1));
      harness_->Heartbeat(harness_->Beat(v1::SERVER, 0));
      harness_->Heartbeat(harness_->Beat(v1::WORKER, 0, step));
    }
  }
  v1::ProcessLostReply::Remedy Lose(v1::Role role, uint32_t rank, uint64_t pid = 0) {
    v1::ProcessLostRequest request;
    request.set_role(role);
    request.set_rank(rank);
    request.set_pid(pid);
    request.set_cause("worker 1 was killed by signal 9");
    return harness_->Answer<v1::ProcessLostReply>(harness_->ProcessLost(request)).remedy();
  }
  v1::RegisterRequest Newcomer(int rank) const {
    v1::RegisterRequest request;
    request.set_role(v1::WORKER);
    request.set_wanted_rank(rank);
    return request;
  }
  v1::ReportRequest Sums(uint64_t slice, uint64_t begin, uint64_t end, uint64_t examples,
                         double loss) const {
    v1::ReportRequest report;
    report.set_part(slice);
    report.set_step_begin(begin);
    report.set_step_end(end);
    *report.mutable_sums() = MakeSums(examples, loss);
    return report;
  }
  v1::JobPhase phase() { return harness_->core().phase(); }
  nlohmann::json last_event() { return harness_->event(harness_->events().size() - 1); }

  std::optional<CoreHarness> harness_;
};

TEST_F(LossTest, ASilentWorkerIsLostAndTheJobWaitsForAnother) {
  harness_->Heartbeat(harness_->Beat(v1::WORKER, 1, 7));
  WaitWithoutWorker1(11);
  EXPECT_EQ(phase(), v1::TRAINING) << harness_->core().failure();
  EXPECT_EQ(last_event()["kind"], "lost");
  EXPECT_EQ(last_event()["process"], "worker 1");
  EXPECT_EQ(last_event()["step"], 7);
  EXPECT_THAT(last_event()["cause"].get<std::string>(),
              HasSubstr("worker 1 was not heard of for 1"));
  const auto told = harness_->Answer<v1::GetProgressReply>(harness_->GetProgress(0, 0));
  EXPECT_THAT(told.processes(2).lost(), HasSubstr("was not heard of"));
  EXPECT_THAT(told.waiting_for(), HasSubstr("another worker 1"));
}

TEST_F(LossTest, OneThatWasOnlySilentComesBackAsIfNothingHadBeen) {
  WaitWithoutWorker1(11);
  harness_->Heartbeat(harness_->Beat(v1::WORKER, 1, 1));
  EXPECT_EQ(harness_->Answer<v1::GetProgressReply>(harness_->GetProgress(0, 0)).processes(2).lost(),
            "");
  const CallId late = harness_->Register(Newcomer(1));
  EXPECT_THAT(std::string(harness_->Error(late).message()), HasSubstr("all have registered"));
  EXPECT_EQ(last_event()["kind"], "returned");
}

TEST_F(LossTest, IfNobodyComesTheJobFailsAndSaysWhoIsMissing) {
  EXPECT_EQ(Lose(v1::WORKER, 1), v1::ProcessLostReply::REPLACE);
  WaitWithoutWorker1(61);
  EXPECT_EQ(phase(), v1::FAILED);
  EXPECT_EQ(harness_->core().failure(),
            "worker 1 was killed by signal 9, and nobody took its place within 60 s");
}

TEST_F(LossTest, AnotherOneGetsTheSlicesAndTheOldOneIsRefused) {
  const v1::HeartbeatRequest old = harness_->Beat(v1::WORKER, 1, 3);
  harness_->Heartbeat(old);
  EXPECT_EQ(Lose(v1::WORKER, 1), v1::ProcessLostReply::REPLACE);
  EXPECT_EQ(harness_->Error(harness_->Heartbeat(old)).code(), absl::StatusCode::kAborted);
  const auto registered = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(-1)));
  EXPECT_EQ(registered.identity().rank(), 1u);
  EXPECT_TRUE(registered.rejoins());
  EXPECT_GT(registered.identity().incarnation(), old.identity().incarnation());
  v1::ReadyRequest setup = MakeSetup(40, 0);
  *setup.mutable_identity() = registered.identity();
  const auto assignment = harness_->Answer<v1::Assignment>(harness_->Ready(setup));
  EXPECT_TRUE(assignment.rejoins());
  EXPECT_EQ(assignment.generation(), 1u);
  EXPECT_EQ(assignment.slice_begin(), 1u);
  EXPECT_EQ(assignment.slice_end(), 2u);
  EXPECT_EQ(harness_->Error(harness_->Heartbeat(old)).code(), absl::StatusCode::kAborted);

  v1::HeartbeatRequest beat;
  *beat.mutable_identity() = registered.identity();
  beat.set_rejoined_at(3 + 1);
  for (int i = 0; i < 2; ++i) harness_->Heartbeat(beat);
  EXPECT_EQ(last_event()["kind"], "rejoined");
  EXPECT_EQ(last_event()["step"], 3);
  EXPECT_EQ(harness_->event(harness_->events().size() - 2)["kind"], "lost");  // said once
}

TEST_F(LossTest, ANewcomerWithOtherDataIsRefusedAndTheJobWaitsOn) {
  Lose(v1::WORKER, 1);
  const auto registered = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(1)));
  v1::ReadyRequest setup = MakeSetup(41, 0);
  *setup.mutable_identity() = registered.identity();
  const absl::Status refused = harness_->Error(harness_->Ready(setup));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("41"));
  EXPECT_EQ(phase(), v1::TRAINING);
  v1::HeartbeatRequest last_words;
  *last_words.mutable_identity() = registered.identity();
  last_words.set_failure("other data");
  harness_->Heartbeat(last_words);
  EXPECT_EQ(phase(), v1::TRAINING);
  EXPECT_EQ(last_event()["cause"], "worker 1: other data");
  EXPECT_TRUE(harness_->Error(harness_->Register(Newcomer(1))).ok());  // a third one
}

TEST_F(LossTest, ServersAndFinishedWorkersAreOfAnotherKind) {
  EXPECT_EQ(Lose(v1::SERVER, 0), v1::ProcessLostReply::RESTORE);
  EXPECT_EQ(Lose(v1::WORKER, 1, /*pid=*/4711), v1::ProcessLostReply::RESTORE);  // of another life
  harness_->Finish(1, 20);
  EXPECT_EQ(Lose(v1::WORKER, 1), v1::ProcessLostReply::NOTHING);
  WaitWithoutWorker1(15, 19);
  EXPECT_EQ(phase(), v1::TRAINING) << harness_->core().failure();
}

TEST_F(LossTest, WhatItHadSummedUpIsGivenUpAndTheExamplesStillCount) {
  harness_->Report(0, Sums(0, 0, 5, 10, 20));
  harness_->Report(0, Sums(0, 5, 10, 10, 5));
  Lose(v1::WORKER, 1);  // it had reported nothing yet, and stood at step 7
  const auto registered = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(1)));
  harness_->Adopt(v1::WORKER, 1, registered.identity());
  harness_->MakeReady(v1::WORKER, 1, MakeSetup(40, 0));
  v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, 1, 6);
  beat.set_rejoined_at(7 + 1);
  harness_->Heartbeat(beat);
  const nlohmann::json first = harness_->event(harness_->events().size() - 2);
  EXPECT_EQ(first["kind"], "train");
  EXPECT_EQ(first["step"], 5);
  EXPECT_EQ(first["loss"], 2.0);     // of what is known
  EXPECT_EQ(first["examples"], 20);  // that were trained on
  harness_->Report(1, Sums(1, 5, 10, 6, 3));
  EXPECT_EQ(last_event()["step"], 10);
  EXPECT_EQ(last_event()["loss"], 0.5);
  EXPECT_EQ(last_event()["examples"], 40);
}

TEST_F(LossTest, AFinishedWorkerThatFallsSilentIsNotMissed) {
  harness_->Finish(1, 20);
  WaitWithoutWorker1(30, 19);
  EXPECT_EQ(phase(), v1::TRAINING) << harness_->core().failure();
}

TEST_F(LossTest, WhenAllAreLostTheExamplesOfTheGapStillCount) {
  for (const uint32_t rank : {0u, 1u}) {  // both stood at step 7 and had reported nothing
    Lose(v1::WORKER, rank);
    const auto registered =
        harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(static_cast<int>(rank))));
    harness_->Adopt(v1::WORKER, rank, registered.identity());
    harness_->MakeReady(v1::WORKER, rank, MakeSetup(40, 0));
    v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, rank, 6);
    beat.set_rejoined_at(7 + 1);
    harness_->Heartbeat(beat);
  }
  harness_->Report(0, Sums(0, 5, 10, 6, 3));
  harness_->Report(1, Sums(1, 5, 10, 6, 3));
  EXPECT_EQ(last_event()["step"], 10);
  EXPECT_EQ(last_event()["examples"], 40);
}

TEST_F(LossTest, AnOrderlyStopWaitsForTheNewcomer) {
  harness_->Heartbeat(harness_->Beat(v1::WORKER, 0, 4));
  Lose(v1::WORKER, 1);
  harness_->Stop();
  const auto registered = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(1)));
  harness_->Adopt(v1::WORKER, 1, registered.identity());
  const auto assignment =
      harness_->Answer<v1::Assignment>(harness_->MakeReady(v1::WORKER, 1, MakeSetup(40, 0)));
  EXPECT_EQ(assignment.stop_step(), 6u);
}

class TaskLossTest : public LossTest {
 protected:
  TaskLossTest() : LossTest("async") {}
};

TEST_F(TaskLossTest, AnotherOneGetsBothTasksThatItHeldInTheirOrder) {
  const auto task = [&](CallId call) {
    return harness_->Answer<v1::NextTaskReply>(call).task().id();
  };
  const uint64_t one = task(harness_->NextTask(1, 0));
  const uint64_t two = task(harness_->NextTaskAhead(1, 0));
  harness_->Report(1, Sums(one, 0, 0, 2, 4));
  const uint64_t three = task(harness_->NextTaskAhead(1, one));
  Lose(v1::WORKER, 1);
  const auto registered = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(1)));
  harness_->Adopt(v1::WORKER, 1, registered.identity());
  EXPECT_EQ(harness_->Answer<v1::Assignment>(harness_->MakeReady(v1::WORKER, 1, MakeSetup(40, 0)))
                .completed_task(),
            one);
  v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, 1, 0);
  beat.set_rejoined_at(1);
  harness_->Heartbeat(beat);
  EXPECT_EQ(task(harness_->NextTask(1, 0)), two);
  EXPECT_EQ(task(harness_->NextTaskAhead(1, 0)), three);
  EXPECT_EQ(task(harness_->NextTask(1, two)), three);
  EXPECT_GT(task(harness_->NextTaskAhead(1, 0)), three);
}

TEST_F(TaskLossTest, AnotherOneGetsTheTaskThatItHeldAndWhatServersMayForget) {
  const auto one = harness_->Answer<v1::NextTaskReply>(harness_->NextTask(1, 0)).task();
  harness_->Report(1, Sums(one.id(), 0, 0, 2, 4));
  const auto two = harness_->Answer<v1::NextTaskReply>(harness_->NextTask(1, one.id())).task();
  // It has completed this one, too, but its report is lost with it.
  const auto three = harness_->Answer<v1::NextTaskReply>(harness_->NextTask(1, two.id())).task();
  harness_->Heartbeat(harness_->Beat(v1::WORKER, 1, 2));
  Lose(v1::WORKER, 1);
  const auto registered = harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(1)));
  harness_->Adopt(v1::WORKER, 1, registered.identity());
  const auto assignment =
      harness_->Answer<v1::Assignment>(harness_->MakeReady(v1::WORKER, 1, MakeSetup(40, 0)));
  EXPECT_EQ(assignment.completed_task(), two.id());
  v1::HeartbeatRequest beat = harness_->Beat(v1::WORKER, 1, 0);
  beat.set_rejoined_at(1);
  harness_->Heartbeat(beat);
  EXPECT_EQ(harness_->Answer<v1::NextTaskReply>(harness_->NextTask(1, 0)).task().id(), three.id());
  harness_->Report(1, Sums(three.id(), 0, 0, 2, 4));
  EXPECT_EQ(last_event()["examples"], 6);
  // Batches of both of them.
  harness_->Heartbeat(harness_->Beat(v1::WORKER, 1, 1));
  EXPECT_EQ(harness_->Answer<v1::GetProgressReply>(harness_->GetProgress(0, 0)).figures().step(),
            3u);
}

}  // namespace
}  // namespace convoy
