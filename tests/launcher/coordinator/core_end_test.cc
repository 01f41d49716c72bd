// How jobs end: finished, stopped, failed; and the summary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

v1::ReportRequest TrainReport(uint64_t part, uint64_t begin, uint64_t end, uint64_t examples) {
  v1::ReportRequest report;
  report.set_part(part);
  report.set_step_begin(begin);
  report.set_step_end(end);
  *report.mutable_sums() = MakeSums(examples, static_cast<double>(examples));
  return report;
}

// The servers' heartbeats that know of phase FINISHING.
void SendFinalStats(CoreHarness* harness, uint32_t servers, const v1::ServerStats& stats = {}) {
  for (uint32_t i = 0; i < servers; ++i) {
    v1::HeartbeatRequest beat = harness->Beat(v1::SERVER, i);
    beat.set_seen(harness->BeatNow(beat).sequence());
    *beat.mutable_stats() = stats;
    beat.mutable_usage()->set_cpu_seconds(1.5);
    harness->Heartbeat(beat);
  }
}

TEST(CoordinatorEndTest, TheModelIsSavedWhenAllWorkersHaveFinishedAndThenTheJobIsDone) {
  CoreHarness harness(MakeJob("sync", 2, 2));
  harness.StartAll(2, 2, MakeSetup(10, 0));
  EXPECT_EQ(harness.Finish(0, 2).phase(), v1::TRAINING);
  EXPECT_FALSE(harness.to_save().has_value());
  EXPECT_EQ(harness.Finish(1, 2).phase(), v1::FINISHING);
  ASSERT_TRUE(harness.to_save().has_value());
  EXPECT_EQ(harness.to_save()->servers_size(), 2);
  SendFinalStats(&harness, 2);
  EXPECT_EQ(harness.core().phase(), v1::FINISHING);
  harness.ModelSaved(absl::OkStatus());
  EXPECT_EQ(harness.core().phase(), v1::DONE);
}

TEST(CoordinatorEndTest, TheModelIsSavedWithTheSchemaThatTheWorkersLearnt) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  v1::ReadyRequest setup = MakeSetup(10, 0);
  setup.mutable_schema()->set_features(3);
  harness.StartAll(1, 2, setup);
  harness.Finish(0, 2);
  harness.Finish(1, 2);
  ASSERT_TRUE(harness.to_save().has_value());
  EXPECT_EQ(harness.to_save()->schema().features(), 3U);
}

TEST(CoordinatorEndTest, TheLastCountersOfTheServersAreWaitedForButNotForLong) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  harness.Finish(0, 3);
  harness.ModelSaved(absl::OkStatus());
  // Sent before the server knew of the end: these are not its last counters.
  v1::HeartbeatRequest early = harness.Beat(v1::SERVER, 0);
  harness.Heartbeat(early);
  EXPECT_EQ(harness.core().phase(), v1::FINISHING);
  EXPECT_EQ(harness.core().NextDeadline(), harness.now() + absl::Seconds(2));
  harness.Advance(absl::Seconds(2));
  EXPECT_EQ(harness.core().phase(), v1::DONE);
}

TEST(CoordinatorEndTest, AModelThatCanNotBeSavedFailsTheJob) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  harness.Finish(0, 3);
  harness.ModelSaved(absl::ResourceExhaustedError("model.safetensors: disk full"));
  EXPECT_EQ(harness.core().failure(), "saving the model: model.safetensors: disk full");
}

TEST(CoordinatorEndTest, AWorkerThatGoesAfterItHasFinishedDoesNoHarm) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  harness.Finish(0, 3);
  harness.Heartbeat(harness.Beat(v1::SERVER, 0));
  harness.Advance(absl::Seconds(8));
  harness.Heartbeat(harness.Beat(v1::SERVER, 0));
  harness.Advance(absl::Seconds(8));
  EXPECT_EQ(harness.core().phase(), v1::FINISHING);
  harness.Advance(absl::Seconds(8));
  EXPECT_THAT(harness.core().failure(), HasSubstr("server 0 was not heard of for 16 s"));
}

TEST(CoordinatorEndTest, ASpareIsNotWaitedFor) {
  v1::Job job = MakeJob("sync", 1, 2);
  job.mutable_training()->set_slices(1);
  CoreHarness harness(job);
  harness.StartAll(1, 2, MakeSetup(10, 0));
  EXPECT_EQ(harness.Finish(0, 3).phase(), v1::FINISHING);
}

TEST(CoordinatorEndTest, AStopOfSyncIsAgreedOnBeforeAnybodyReachesTheStep) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.StartAll(1, 2, MakeSetup(400, 0));
  harness.Heartbeat(harness.Beat(v1::WORKER, 0, 5));
  harness.Stop();
  v1::HeartbeatRequest first = harness.Beat(v1::WORKER, 0, 6),
                       second = harness.Beat(v1::WORKER, 1, 5);
  EXPECT_EQ(harness.BeatNow(first).stop_step(), 7u);
  first.set_stop_confirmed(7);
  EXPECT_FALSE(harness.BeatNow(first).stop_agreed());
  second.set_stop_confirmed(7);
  EXPECT_TRUE(harness.BeatNow(second).stop_agreed());
}

TEST(CoordinatorEndTest, AStoppedJobIsSavedAndSaysThatItStoppedEarly) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(400, 0));
  harness.Stop();
  harness.Report(0, TrainReport(0, 0, 2, 8));
  harness.Finish(0, 1);
  ASSERT_TRUE(harness.to_save().has_value());
  harness.ModelSaved(absl::OkStatus());
  SendFinalStats(&harness, 1);
  EXPECT_EQ(harness.core().phase(), v1::DONE);
  EXPECT_EQ(harness.summary()["stopped_early"], true);
  EXPECT_EQ(harness.summary()["steps"], 2);
}

TEST(CoordinatorEndTest, AStopAtTheNaturalEndIsNotEarly) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(8, 0));
  harness.Report(0, TrainReport(0, 0, 2, 8));
  harness.Stop();
  harness.Finish(0, 1);
  harness.ModelSaved(absl::OkStatus());
  SendFinalStats(&harness, 1);
  EXPECT_EQ(harness.summary()["stopped_early"], false);
}

TEST(CoordinatorEndTest, AStopOfAsyncEndsTheTasks) {
  CoreHarness harness(MakeJob("async", 1, 2));
  harness.StartAll(1, 2, MakeSetup(4, 1));
  harness.NextTask(0, 0);
  const CallId parked = harness.NextTask(1, 0);
  harness.Stop();
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(parked).end());
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 1)).end());
  EXPECT_TRUE(harness.BeatNow(harness.Beat(v1::WORKER, 0)).stop_agreed());
  harness.Finish(0, 1);
  EXPECT_EQ(harness.Finish(1, 0).phase(), v1::FINISHING);
}

TEST(CoordinatorEndTest, WorkersThatFinishWithTasksLeftFailTheJob) {
  CoreHarness harness(MakeJob("async", 1, 1));
  harness.StartAll(1, 1, MakeSetup(4, 1));
  harness.NextTask(0, 0);
  harness.Finish(0, 1);
  EXPECT_THAT(harness.core().failure(), HasSubstr("1 data tasks of the training"));
}

TEST(CoordinatorEndTest, ParkedCallsOfAFailedJobAreAnswered) {
  CoreHarness harness(MakeJob("async", 1, 2));
  harness.StartAll(1, 2, MakeSetup(4, 1));
  harness.NextTask(0, 0);
  const CallId task = harness.NextTask(1, 0);
  const uint64_t seen = harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0)).sequence();
  const CallId observer = harness.GetProgress(0, seen);
  harness.Fail("server 0 was killed by SIGKILL");
  EXPECT_EQ(harness.Error(task).code(), absl::StatusCode::kFailedPrecondition);
  const auto progress = harness.Answer<v1::GetProgressReply>(observer);
  EXPECT_EQ(progress.failure(), "server 0 was killed by SIGKILL");
  EXPECT_THAT(progress.summary(), HasSubstr("killed by SIGKILL"));
  EXPECT_FALSE(harness.Error(harness.Report(0, TrainReport(1, 0, 0, 4))).ok());
}

TEST(CoordinatorEndTest, EverybodyIsToldWhenTheirHeartbeatsWereAnsweredAfterTheEnd) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(4, 0));
  harness.Fail("no reason");
  EXPECT_FALSE(harness.core().everybody_told());
  harness.Heartbeat(harness.Beat(v1::WORKER, 0));
  EXPECT_FALSE(harness.core().everybody_told());
  harness.Heartbeat(harness.Beat(v1::SERVER, 0));
  EXPECT_TRUE(harness.core().everybody_told());
}

TEST(CoordinatorEndTest, TheSummaryHasTheWholeJob) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.StartAll(1, 2, MakeSetup(8, 2));
  harness.Advance(absl::Seconds(2));
  harness.Report(0, TrainReport(0, 0, 2, 4));
  harness.Report(1, TrainReport(1, 0, 2, 4));
  for (uint32_t worker = 0; worker < 2; ++worker) {
    v1::ReportRequest report = TrainReport(worker, 0, 2, 1);
    report.set_kind(v1::ReportRequest::VALIDATION);
    harness.Report(worker, report);
    v1::HeartbeatRequest last = harness.Beat(v1::WORKER, worker, 1);
    last.set_finished(true);
    last.mutable_usage()->set_bytes_sent(100);
    last.mutable_usage()->set_bytes_received(50);
    last.mutable_usage()->set_peak_rss_bytes(4096);
    harness.Heartbeat(last);
  }
  harness.Advance(absl::Seconds(1));  // Saving the model is not training.
  v1::ServerStats stats;
  stats.set_staleness_count(4);
  stats.set_staleness_sum(6);
  stats.set_staleness_max(3);
  SendFinalStats(&harness, 1, stats);
  harness.ModelSaved(absl::OkStatus());
  const nlohmann::json summary = harness.summary();
  EXPECT_EQ(summary["job"], "toy");
  EXPECT_EQ(summary["mode"], "sync");
  EXPECT_EQ(summary["servers"], 1);
  EXPECT_EQ(summary["workers"], 2);
  EXPECT_EQ(summary["slices"], 2);
  EXPECT_EQ(summary["steps"], 2);
  EXPECT_EQ(summary["examples"], 8);
  EXPECT_EQ(summary["wall_seconds"], 2.0);
  EXPECT_EQ(summary["examples_per_second"], 4.0);
  EXPECT_EQ(summary["train"]["loss"], 1.0);
  EXPECT_EQ(summary["validation"]["examples"], 2);
  EXPECT_EQ(summary["staleness"]["mean"], 1.5);
  EXPECT_EQ(summary["staleness"]["max"], 3);
  EXPECT_EQ(summary["bytes_sent"], 200);
  EXPECT_EQ(summary["bytes_received"], 100);
  EXPECT_EQ(summary["skipped_gradients"], 0);
  EXPECT_EQ(summary["stopped_early"], false);
  EXPECT_FALSE(summary.contains("failure"));
  ASSERT_EQ(summary["processes"].size(), 3u);
  EXPECT_EQ(summary["processes"][0]["role"], "server");
  EXPECT_EQ(summary["processes"][0]["cpu_seconds"], 1.5);
  EXPECT_EQ(summary["processes"][2]["rank"], 1);
  EXPECT_EQ(summary["processes"][2]["peak_rss_bytes"], 4096);
  EXPECT_EQ(summary["processes"][2]["foreign"], true);  // it did not name its build
}

TEST(CoordinatorEndTest, AJobThatFailedBeforeTheTrainingHasASummaryToo) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  harness.Fail("no data");
  EXPECT_EQ(harness.summary()["failure"], "no data");
  EXPECT_EQ(harness.summary()["steps"], 0);
  EXPECT_EQ(harness.summary()["wall_seconds"], 0.0);
  EXPECT_EQ(harness.summary()["processes"].size(), 1u);
}

}  // namespace
}  // namespace convoy
