// Another number of workers while the job is under way: on demand, by a worker that joins, and
// after a loss.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/launcher/coordinator/scaling_fixture.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

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

TEST_F(ScalingTest, ReportsGoOnWhereTheyStopped) {
  Start("sync", 2);
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
    ReportSums(static_cast<uint32_t>(slice / 2), slice, 0, step);
  }
  for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, step - 1);
  Come(0, 100);
  v1::HeartbeatRequest back = harness_->Beat(v1::WORKER, 0, step);
  back.set_rejoined_at(step + 1);
  harness_->BeatNow(back);
  for (uint64_t slice = 0; slice < 4; ++slice) ReportSums(0, slice, step, 10);
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

TEST_F(ScalingTest, WhatCannotBeIsRefusedWithTheReason) {
  Start("sync", 2);
  EXPECT_THAT(std::string(Scale(2).message()), HasSubstr("the job has 2 workers already"));
  EXPECT_TRUE(absl::IsInvalidArgument(Scale(5)));
  EXPECT_THAT(std::string(Scale(5).message()), HasSubstr("got 5, want at most 4"));
  ASSERT_TRUE(Scale(4).ok());
  // What passes: whoever asks may ask again.
  EXPECT_TRUE(absl::IsAborted(Scale(3)));
  EXPECT_THAT(std::string(Scale(3).message()), HasSubstr("are being divided anew already"));
  StopAll(2);
  EXPECT_TRUE(absl::IsAborted(Scale(3)));
  EXPECT_THAT(std::string(Scale(3).message()), HasSubstr("the job waits for worker 0"));
  EXPECT_TRUE(absl::IsInvalidArgument(Scale(5))) << "for that nobody needs to wait";
}

TEST_F(ScalingTest, WhoeverWatchesHearsAtOnceThatANewcomerIsReady) {
  Start("sync", 2);
  ASSERT_TRUE(Scale(3).ok());
  StopAll(2);
  Come(0, 100);
  Come(1, 101);
  const v1::RegisterReply newcomer =
      harness_->Answer<v1::RegisterReply>(harness_->Register(Newcomer(-1, 900)));
  ASSERT_EQ(newcomer.identity().rank(), 2u);
  harness_->Adopt(v1::WORKER, 2, newcomer.identity());
  const v1::GetProgressReply before = harness_->Look();
  const CallId watcher = harness_->GetProgress(before.events_seen(), before.sequence());
  ASSERT_FALSE(harness_->answered(watcher));
  harness_->MakeReady(v1::WORKER, 2, setup_);
  EXPECT_TRUE(harness_->answered(watcher));
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
  EXPECT_EQ(Count("lost"), 2);
  EXPECT_EQ((*LastEvent("lost"))["process"], "worker 3");
  EXPECT_EQ((*LastEvent("lost"))["cause"], "killed");
  Come(0, 100);
  Come(-1, 102);
  EXPECT_EQ(harness_->Look().waiting_for(), "");
}

TEST_F(ScalingTest, OneThatFailsAsItComesBackIsGoneOnWithout) {
  Start("sync", 4, "CONTINUE");
  EXPECT_EQ(Killed(1, 101), v1::ProcessLostReply::NOTHING);
  Come(0, 100);
  Come(1, 102);
  Come(2, 103);
  v1::HeartbeatRequest last_words = harness_->Beat(v1::WORKER, 2);
  last_words.set_failure("the disk of the cache is full");
  const v1::HeartbeatReply reply = harness_->BeatNow(last_words);
  EXPECT_FALSE(reply.register_again()) << "it ends";
  EXPECT_EQ(reply.phase(), v1::TRAINING);
  EXPECT_EQ(Divisions(), 2);
  EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
  EXPECT_THAT((*LastEvent("lost"))["cause"].get<std::string>(), HasSubstr("cache is full"));
  Come(0, 100);
  Come(1, 102);
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

// Whatever becomes of workers that are lost: nobody counted on it.
TEST_F(ScalingTest, OneThatLeavesOnceRoomWasMadeIsDoneWithout) {
  for (const char* mode : {"async", "sync"}) {
    SCOPED_TRACE(mode);
    Start(mode, 2);
    harness_->Register(Newcomer(-1, 900));
    if (mode == std::string("sync")) {
      StopAll(2);
    } else {
      for (uint32_t worker = 0; worker < 2; ++worker) harness_->Finish(worker, 1);
    }
    ASSERT_EQ((*LastEvent("divided"))["workers"], 3);
    WaitWith({}, 8);  // those that were there before take their time
    EXPECT_EQ(Divisions(), 1);
    Come(0, 100);
    Come(1, 101);
    WaitWith({0, 1}, 10);
    ASSERT_EQ(Divisions(), 2);
    EXPECT_EQ((*LastEvent("divided"))["workers"], 2);
    EXPECT_EQ(harness_->Look().wanted_workers(), 0u);
    Come(0, 100);
    Come(1, 101);
    EXPECT_EQ(harness_->Look().waiting_for(), "");
    WaitWith({0, 1}, 70);
    EXPECT_EQ(harness_->core().phase(), v1::TRAINING) << harness_->core().failure();
    EXPECT_EQ(Divisions(), 2);
  }
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
