// Heartbeats, data tasks, reports and observers while a job trains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::HeartbeatRequest Waiting(v1::HeartbeatRequest request, uint64_t seen) {
  request.set_wait_ms(500);
  request.set_seen(seen);
  return request;
}

TEST(CoordinatorTrainingTest, AHeartbeatIsParkedUntilItsTimeOrAChange) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  const auto state = harness.BeatNow(harness.Beat(v1::WORKER, 0));
  EXPECT_EQ(state.phase(), v1::TRAINING);
  EXPECT_EQ(state.generation(), 1u);
  const CallId timed = harness.Heartbeat(Waiting(harness.Beat(v1::WORKER, 0), state.sequence()));
  EXPECT_FALSE(harness.answered(timed));
  harness.Advance(absl::Milliseconds(500));
  EXPECT_EQ(harness.Answer<v1::HeartbeatReply>(timed).sequence(), state.sequence());
  const CallId parked = harness.Heartbeat(Waiting(harness.Beat(v1::WORKER, 0), state.sequence()));
  harness.Stop();
  EXPECT_GT(harness.Answer<v1::HeartbeatReply>(parked).sequence(), state.sequence());
  EXPECT_EQ(harness.Answer<v1::HeartbeatReply>(parked).stop_step(), 2u);
}

TEST(CoordinatorTrainingTest, AHeartbeatThatMissedAChangeIsAnsweredAtOnce) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  const auto state = harness.BeatNow(harness.Beat(v1::WORKER, 0));
  EXPECT_TRUE(harness.answered(
      harness.Heartbeat(Waiting(harness.Beat(v1::WORKER, 0), state.sequence() - 1))));
}

TEST(CoordinatorTrainingTest, AnEndlessHeartbeatIsAnsweredBeforeItsSenderWouldBeLost) {
  CoreHarness harness(MakeJob("sync", 1, 1));  // lost_after_ms 10000
  harness.StartAll(1, 1, MakeSetup(10, 0));
  v1::HeartbeatRequest request = harness.Beat(v1::WORKER, 0);
  request.set_seen(harness.BeatNow(request).sequence());
  request.set_wait_ms(3'600'000);
  const CallId call = harness.Heartbeat(request);
  harness.Advance(absl::Seconds(4));
  EXPECT_TRUE(harness.answered(call));
}

TEST(CoordinatorTrainingTest, AProcessThatIsNotHeardOfFailsTheJobAndIsNamed) {
  v1::Job job = MakeJob("sync", 2, 2);
  job.mutable_cluster()->set_max_restarts(0);
  CoreHarness harness(job);
  harness.StartAll(2, 2, MakeSetup(10, 0));
  harness.Heartbeat(harness.Beat(v1::WORKER, 1, /*step=*/412));
  const CallId other = harness.Heartbeat(Waiting(
      harness.Beat(v1::WORKER, 0), harness.BeatNow(harness.Beat(v1::WORKER, 0)).sequence()));
  harness.Advance(absl::Seconds(5));
  EXPECT_TRUE(harness.answered(other));
  for (uint32_t i = 0; i < 2; ++i) harness.Heartbeat(harness.Beat(v1::SERVER, i));
  harness.Heartbeat(harness.Beat(v1::WORKER, 0));
  EXPECT_EQ(harness.core().NextDeadline(), harness.now() + absl::Seconds(5));
  harness.Advance(absl::Milliseconds(5'200));
  EXPECT_EQ(harness.core().failure(),
            "worker 1 was not heard of for 10.2 s, last seen at step 412");
}

TEST(CoordinatorTrainingTest, ALossIsToldFromAFaultOfTheJobItself) {
  CoreHarness frozen(MakeJob("sync", 1, 1));  // lost_after_ms 10000
  frozen.StartAll(1, 1, MakeSetup(10, 0));
  frozen.Advance(absl::Seconds(11));
  const auto lost = frozen.Look();
  EXPECT_EQ(lost.phase(), v1::FAILED);
  EXPECT_TRUE(lost.restorable());
  for (const bool unreachable : {false, true}) {
    CoreHarness harness(MakeJob("sync", 1, 1));
    harness.StartAll(1, 1, MakeSetup(10, 0));
    v1::HeartbeatRequest failing = harness.Beat(v1::WORKER, 0);
    failing.set_failure("it ends here");
    failing.set_unreachable(unreachable);
    harness.Heartbeat(failing);
    EXPECT_EQ(harness.Look().restorable(), unreachable);
  }
}

TEST(CoordinatorTrainingTest, AfterARestartTheGenerationIsNewAndTheTimeIsThatOfTheWholeRun) {
  CoordinatorCore::Options options;
  options.job = MakeJob("sync", 1, 1);
  options.earlier.restarts = 2;
  options.earlier.generation = 7;
  options.earlier.cause = "worker 0 was killed";
  options.earlier.training_start = absl::UnixEpoch();
  CoreHarness harness(std::move(options));
  harness.Advance(absl::Seconds(5));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  const auto told = harness.Look();
  EXPECT_EQ(told.generation(), 8u);
  ASSERT_EQ(told.events_size(), 1);
  const auto event = nlohmann::json::parse(told.events(0));
  EXPECT_EQ(event["kind"], "restart");
  EXPECT_EQ(event["generation"], 8);
  EXPECT_EQ(event["step"], 0);
  EXPECT_FALSE(event.contains("checkpoint"));
  EXPECT_EQ(event["cause"], "worker 0 was killed");
  const double seconds = absl::ToDoubleSeconds(harness.now() - absl::UnixEpoch());
  EXPECT_EQ(event["wall_seconds"], seconds);
  harness.Fail("the end");
  const auto summary = nlohmann::json::parse(harness.core().summary());
  EXPECT_EQ(summary["restarts"], 2);
  EXPECT_EQ(summary["wall_seconds"], seconds);
}

TEST(CoordinatorTrainingTest, TheFirstFailureIsTheOneReported) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.StartAll(1, 2, MakeSetup(10, 0));
  const auto state = harness.BeatNow(harness.Beat(v1::WORKER, 0));
  const CallId parked = harness.Heartbeat(Waiting(harness.Beat(v1::WORKER, 0), state.sequence()));
  v1::HeartbeatRequest failing = harness.Beat(v1::WORKER, 1, 3);
  failing.set_failure("gradient of \"weight\" is not finite");
  harness.Heartbeat(failing);
  const auto told = harness.Answer<v1::HeartbeatReply>(parked);
  EXPECT_EQ(told.phase(), v1::FAILED);
  EXPECT_EQ(told.failure(), "worker 1: gradient of \"weight\" is not finite");
  failing = harness.Beat(v1::WORKER, 0);
  failing.set_failure("lost a server");
  harness.Heartbeat(failing);
  EXPECT_THAT(harness.core().failure(), HasSubstr("worker 1"));
}

TEST(CoordinatorTrainingTest, AnEndlessFailureTextIsCutAtACharacter) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  v1::HeartbeatRequest failing = harness.Beat(v1::WORKER, 0);
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "\xC3\xA4";  // a-umlaut, two bytes
  failing.set_failure(text);
  harness.Heartbeat(failing);
  const std::string& failure = harness.core().failure();
  EXPECT_LE(failure.size(), 2003u);
  EXPECT_EQ(failure.substr(failure.size() - 5), "\xC3\xA4...");
}

TEST(CoordinatorTrainingTest, RequestsOfAnotherGenerationAreRefused) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  v1::HeartbeatRequest request = harness.Beat(v1::WORKER, 0);
  request.mutable_identity()->set_generation(2);
  EXPECT_EQ(harness.Error(harness.Heartbeat(request)).code(), absl::StatusCode::kUnavailable);
}

TEST(CoordinatorTrainingTest, SyncHasNoTasks) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  EXPECT_EQ(harness.Error(harness.NextTask(0, 0)).code(), absl::StatusCode::kFailedPrecondition);
}

// One task: 4 training examples; one validation task.
v1::Job OneTaskJob() {
  v1::Job job = MakeJob("async", 1, 2);
  job.mutable_training()->set_slices(1);
  return job;
}

TEST(CoordinatorTrainingTest, AWorkerIsParkedUntilThereIsATaskAndTheEndIsToldToAll) {
  CoreHarness harness(OneTaskJob());
  harness.StartAll(1, 2, MakeSetup(4, 1));
  const auto training = harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 0)).task();
  const CallId idle = harness.NextTask(1, 0);
  EXPECT_FALSE(harness.answered(idle));
  const CallId next = harness.NextTask(0, training.id());
  // The worker that waits longest gets the validation.
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(idle).task().validation());
  EXPECT_FALSE(harness.answered(next));
  const auto validation = harness.Answer<v1::NextTaskReply>(idle).task();
  const CallId last = harness.NextTask(1, validation.id());
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(last).end());
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(next).end());
}

TEST(CoordinatorTrainingTest, AParkedRequestForATaskIsAnsweredByItsTime) {
  CoreHarness harness(OneTaskJob());
  harness.StartAll(1, 2, MakeSetup(4, 1));
  harness.NextTask(0, 0);
  const CallId idle = harness.NextTask(1, 0, /*wait_ms=*/500);
  const CallId impatient = harness.NextTask(1, 0, /*wait_ms=*/0);
  EXPECT_TRUE(harness.answered(impatient));
  harness.Advance(absl::Milliseconds(500));
  const auto reply = harness.Answer<v1::NextTaskReply>(idle);
  EXPECT_FALSE(reply.has_task() || reply.end());
}

TEST(CoordinatorTrainingTest, ATaskWhoseAnswerWasLostIsHandedToTheSameWorkerAgain) {
  CoreHarness harness(OneTaskJob());
  harness.StartAll(1, 2, MakeSetup(4, 1));
  const CallId first = harness.NextTask(0, 0), again = harness.NextTask(0, 0);
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(first).task().id(), 1u);
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(again).task().id(), 1u);
}

TEST(CoordinatorTrainingTest, ARequestForTheTaskAfterIsAnsweredAtOnceAndTellsWhatIsComplete) {
  v1::Job job = MakeJob("async", 1, 2);
  job.mutable_training()->set_slices(2);
  job.mutable_training()->set_batches_per_task(1);
  CoreHarness harness(job);
  harness.StartAll(1, 2, MakeSetup(10, 0));  // 5 tasks
  const auto ahead = [&](uint32_t worker, uint64_t completed) {
    return harness.Answer<v1::NextTaskReply>(harness.NextTaskAhead(worker, completed)).task().id();
  };
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 0)).task().id(), 1u);
  EXPECT_EQ(ahead(0, 0), 2u);
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(harness.NextTask(1, 0)).task().id(), 3u);
  EXPECT_EQ(ahead(0, 1), 4u) << "two are free, as many as workers";
  EXPECT_EQ(ahead(0, 2), 0u) << "the last one is for who is free first";
  EXPECT_EQ(harness.Answer<v1::NextTaskReply>(harness.NextTask(1, 3)).task().id(), 5u);
  EXPECT_EQ(harness.Error(harness.NextTaskAhead(1, 4)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(CoordinatorTrainingTest, OneThatWaitsIsServedWhenTheLastTaskIsToldToBeComplete) {
  CoreHarness harness(OneTaskJob());
  harness.StartAll(1, 2, MakeSetup(4, 1));
  const auto training = harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 0)).task();
  const CallId idle = harness.NextTask(1, 0);
  ASSERT_FALSE(harness.answered(idle));
  const auto ahead = harness.Answer<v1::NextTaskReply>(harness.NextTaskAhead(0, training.id()));
  EXPECT_FALSE(ahead.has_task() || ahead.end());
  ASSERT_TRUE(harness.answered(idle));
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(idle).task().validation());
}

TEST(CoordinatorTrainingTest, NoTaskIsHandedOutAheadInAJobThatIsToStop) {
  v1::Job job = MakeJob("async", 1, 1);
  job.mutable_training()->set_batches_per_task(1);
  CoreHarness harness(job);
  harness.StartAll(1, 1, MakeSetup(1000, 0));
  harness.NextTask(0, 0);
  harness.Stop("enough");
  const auto reply = harness.Answer<v1::NextTaskReply>(harness.NextTaskAhead(0, 0));
  EXPECT_FALSE(reply.has_task() || reply.end());
}

TEST(CoordinatorTrainingTest, ACancelledRequestTakesNoTask) {
  CoreHarness harness(OneTaskJob());
  harness.StartAll(1, 2, MakeSetup(4, 1));
  const auto task = harness.Answer<v1::NextTaskReply>(harness.NextTask(0, 0)).task();
  harness.Cancel(harness.NextTask(1, 0));
  const CallId next = harness.NextTask(0, task.id());
  EXPECT_TRUE(harness.Answer<v1::NextTaskReply>(next).task().validation());
}

TEST(CoordinatorTrainingTest, AReportOnASliceOfAnotherWorkerIsRefused) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.StartAll(1, 2, MakeSetup(10, 0));
  v1::ReportRequest report;
  report.set_part(0);
  report.set_step_end(1);
  *report.mutable_sums() = MakeSums(2, 1);
  const absl::Status status = harness.Error(harness.Report(1, report));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("worker 1: report on slice 0: it owns slices [1, 2)"));
}

TEST(CoordinatorTrainingTest, AnObserverHearsOfEventsAtOnce) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  const auto state = harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0));
  EXPECT_EQ(state.phase(), v1::TRAINING);
  EXPECT_EQ(state.total_examples(), 10u);
  EXPECT_EQ(state.processes_size(), 2);
  EXPECT_EQ(state.processes(0).address(), "127.0.0.1:5000");
  const CallId parked = harness.GetProgress(0, state.sequence());
  EXPECT_FALSE(harness.answered(parked));
  v1::ReportRequest report;
  report.set_step_end(1);
  *report.mutable_sums() = MakeSums(4, 1);
  harness.Report(0, report);
  const auto news = harness.Answer<v1::GetProgressReply>(parked);
  EXPECT_EQ(news.events_size(), 1);
  EXPECT_EQ(news.events(0), harness.events().at(0));
  EXPECT_EQ(news.events_seen(), 1u);
  EXPECT_EQ(news.examples(), 4u);
}

TEST(CoordinatorTrainingTest, ProgressIsEstimatedFromHeartbeatsBetweenReports) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.StartAll(1, 1, MakeSetup(10, 0));
  harness.Heartbeat(harness.Beat(v1::WORKER, 0, /*step=*/2));
  // Two whole steps of 4 examples.
  EXPECT_EQ(harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0)).examples(), 8u);
}

TEST(CoordinatorTrainingTest, ObserversOfAnotherJobAreRefused) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  EXPECT_EQ(harness.Error(harness.GetProgress(0, 0, 500, kJobId + 1)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(CoordinatorTrainingTest, ThereIsALimitToParkedObservers) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  const uint64_t seen = harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0)).sequence();
  CallId last = 0;
  for (int i = 0; i < 257; ++i) last = harness.GetProgress(0, seen);
  EXPECT_EQ(harness.Error(last).code(), absl::StatusCode::kResourceExhausted);
}

// A heartbeat of a server that has received so much.
v1::HeartbeatRequest ServerBeat(CoreHarness* harness, uint32_t rank, uint64_t bytes) {
  v1::HeartbeatRequest request = harness->Beat(v1::SERVER, rank);
  request.mutable_stats()->set_bytes_received(bytes);
  return request;
}

TEST(CoordinatorTrainingTest, AServerThatCarriesMuchMoreThanItsShareIsNotedOnceWhileTheJobRuns) {
  CoreHarness harness(MakeJob("sync", 2, 1));
  harness.StartAll(2, 1, MakeSetup(10, 0));
  const auto notes = [&] {
    return harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0, 0)).notes();
  };
  harness.BeatNow(ServerBeat(&harness, 0, 900'000'000));
  EXPECT_THAT(notes(), IsEmpty()) << "the other one has not told yet";
  for (int second = 0; second < 10; ++second) {
    harness.BeatNow(harness.Beat(v1::WORKER, 0));
    harness.BeatNow(ServerBeat(&harness, 0, 900'000'000));
    harness.BeatNow(ServerBeat(&harness, 1, 100'000'000));
    harness.Advance(absl::Seconds(1));
  }
  harness.BeatNow(ServerBeat(&harness, 0, 900'000'000));
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("server 0 carries 90 %")));
  harness.BeatNow(ServerBeat(&harness, 0, 1'900'000'000));
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("server 0 carries 90 %"))) << "not again";
}

}  // namespace
}  // namespace convoy
