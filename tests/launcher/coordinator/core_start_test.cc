// How a job comes together, or does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

TEST(CoordinatorStartTest, AJobThatCanNotBeIsRefused) {
  const auto code = [](const v1::Job& job, uint64_t id) {
    return CoordinatorCore::Create({job, id, absl::UnixEpoch()}).status().code();
  };
  EXPECT_EQ(code(MakeJob("sync", 1, 1), 1), absl::StatusCode::kOk);
  EXPECT_EQ(code(MakeJob("synch", 1, 1), 1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(MakeJob("sync", 0, 1), 1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(MakeJob("sync", 1, 2000), 1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(MakeJob("sync", 1, 1), 0), absl::StatusCode::kInvalidArgument);
  v1::Job no_batch = MakeJob("async", 1, 1);
  no_batch.mutable_training()->set_batch_size(0);
  EXPECT_EQ(code(no_batch, 1), absl::StatusCode::kInvalidArgument);
}

TEST(CoordinatorStartTest, ReadyIsParkedUntilAllAreReadyAndTellsEverybodyTheirPart) {
  CoreHarness harness(MakeJob("sync", 2, 2));
  harness.Join(v1::WORKER, 1);
  harness.Join(v1::SERVER, 1);
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  const CallId server = harness.MakeReady(v1::SERVER, 1);
  harness.MakeReady(v1::SERVER, 0);
  const CallId worker = harness.MakeReady(v1::WORKER, 1, MakeSetup(10, 2));
  EXPECT_FALSE(harness.answered(server) || harness.answered(worker));
  harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
  const auto assignment = harness.Answer<v1::Assignment>(worker);
  EXPECT_EQ(assignment.generation(), 1u);
  EXPECT_THAT(assignment.servers(), ::testing::ElementsAre("127.0.0.1:5000", "127.0.0.1:5001"));
  EXPECT_EQ(assignment.world_size(), 2u);
  EXPECT_EQ(assignment.slices(), 2u);
  EXPECT_EQ(assignment.slice_begin(), 1u);
  EXPECT_EQ(assignment.slice_end(), 2u);
  EXPECT_EQ(assignment.data().examples(), 10u);
  EXPECT_EQ(assignment.job().data().features(), 3u);
  EXPECT_EQ(harness.Answer<v1::Assignment>(server).variables(0).name(), "weight");
}

TEST(CoordinatorStartTest, ARepeatedReadyIsAnsweredInPlaceOfTheFirst) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  const CallId first = harness.MakeReady(v1::SERVER, 0);
  const CallId second = harness.MakeReady(v1::SERVER, 0);
  EXPECT_EQ(harness.Answer<v1::Assignment>(first).generation(), 0u);
  EXPECT_FALSE(harness.answered(second));
  harness.MakeReady(v1::WORKER, 0, MakeSetup(1, 0));
  EXPECT_EQ(harness.Answer<v1::Assignment>(second).generation(), 1u);
  const CallId late = harness.MakeReady(v1::SERVER, 0);
  EXPECT_EQ(harness.Answer<v1::Assignment>(late).generation(), 1u);
}

TEST(CoordinatorStartTest, AReadyWithATimeIsAnsweredByThen) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  v1::ReadyRequest request;
  request.set_wait_ms(300);
  const CallId call = harness.MakeReady(v1::SERVER, 0, request);
  EXPECT_LE(harness.core().NextDeadline(), harness.now() + absl::Milliseconds(300));
  harness.Advance(absl::Milliseconds(300));
  EXPECT_EQ(harness.Answer<v1::Assignment>(call).generation(), 0u);
}

TEST(CoordinatorStartTest, DifferentModelsFailTheJobAndTheVariableIsNamed) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  harness.Join(v1::WORKER, 1);
  const CallId server = harness.MakeReady(v1::SERVER, 0);
  const CallId first = harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
  v1::ReadyRequest other = MakeSetup(10, 2);
  other.mutable_variables(0)->set_shape(0, 4);
  const CallId second = harness.MakeReady(v1::WORKER, 1, other);
  EXPECT_EQ(harness.core().phase(), v1::FAILED);
  for (const CallId call : {server, first, second}) {
    EXPECT_EQ(harness.Error(call).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(harness.Error(call).message()),
                HasSubstr("variable 0 of worker 1 is \"weight\" [4] ZEROS(0), that of worker 0 is "
                          "\"weight\" [3] ZEROS(0)"));
  }
}

TEST(CoordinatorStartTest, AMissingVariableIsADifference) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.Join(v1::WORKER, 0);
  harness.Join(v1::WORKER, 1);
  harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
  v1::ReadyRequest other = MakeSetup(10, 2);
  other.clear_variables();
  harness.MakeReady(v1::WORKER, 1, other);
  EXPECT_THAT(harness.core().failure(),
              HasSubstr("variable 0 of worker 1 is no such variable, that of worker 0 is"));
}

TEST(CoordinatorStartTest, DifferentDataFailTheJobAndTheFigureIsNamed) {
  v1::ReadyRequest fewer = MakeSetup(9, 2), classes = MakeSetup(10, 2), content = MakeSetup(10, 2);
  classes.mutable_data()->set_classes(5);
  content.mutable_data()->set_fingerprint(6);
  v1::ReadyRequest test = MakeSetup(10, 2), epoch = MakeSetup(10, 2);
  test.mutable_data()->set_test_examples(3);
  epoch.mutable_data()->set_epoch_examples(18);
  const std::pair<v1::ReadyRequest, std::string> cases[] = {
      {fewer, "worker 1 has 9 training examples, worker 0 has 10"},
      {classes, "worker 1 has 5 classes, worker 0 has 2"},
      {test, "worker 1 has 3 test examples, worker 0 has 0"},
      {epoch, "worker 1 has 18 examples in an epoch, worker 0 has 0"},
      {content, "checksum 0000000000000006 in worker 1, 0000000000000005 in worker 0"}};
  for (const auto& [setup, text] : cases) {
    CoreHarness harness(MakeJob("sync", 1, 2));
    harness.Join(v1::WORKER, 0);
    harness.Join(v1::WORKER, 1);
    harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
    harness.MakeReady(v1::WORKER, 1, setup);
    EXPECT_THAT(harness.core().failure(), HasSubstr(text));
  }
}

TEST(CoordinatorStartTest, DifferentSchemasFailTheJob) {
  CoreHarness harness(MakeJob("sync", 1, 2));
  harness.Join(v1::WORKER, 0);
  harness.Join(v1::WORKER, 1);
  v1::ReadyRequest setup = MakeSetup(10, 0);
  setup.mutable_schema()->add_column()->mutable_numeric()->set_mean(0.25);
  harness.MakeReady(v1::WORKER, 0, setup);
  setup.mutable_schema()->mutable_column(0)->mutable_numeric()->set_mean(0.5);
  harness.MakeReady(v1::WORKER, 1, setup);
  EXPECT_EQ(harness.core().phase(), v1::FAILED);
  EXPECT_THAT(harness.core().failure(), HasSubstr("have learnt different schemas"));
}

TEST(CoordinatorStartTest, ASetupWithoutSenseIsRefusedAndTheJobLivesOn) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::WORKER, 0);
  v1::ReadyRequest twice = MakeSetup(10, 2);
  *twice.add_variables() = twice.variables(0);
  v1::ReadyRequest no_name = MakeSetup(10, 2);
  no_name.mutable_variables(0)->clear_name();
  for (const auto& setup : {MakeSetup(0, 0), MakeSetup(uint64_t{1} << 50, 0), twice, no_name}) {
    const CallId call = harness.MakeReady(v1::WORKER, 0, setup);
    EXPECT_EQ(harness.Error(call).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(harness.core().phase(), v1::STARTING);
}

TEST(CoordinatorStartTest, AJobThatIsNotAdmittedFailsBeforeAnybodyHasAPart) {
  uint32_t servers_here = 0, workers_here = 0;
  CoordinatorCore::Options options;
  options.job = MakeJob("sync", 1, 2);
  options.host = "here";
  options.admit = [&](const v1::Assignment& assignment, uint32_t servers, uint32_t workers) {
    EXPECT_EQ(assignment.variables(0).name(), "weight");
    servers_here = servers;
    workers_here = workers;
    return absl::ResourceExhaustedError("too little memory");
  };
  CoreHarness harness(std::move(options));
  harness.Join(v1::SERVER, 0, "here");
  harness.Join(v1::WORKER, 0, "here");
  harness.Join(v1::WORKER, 1, "elsewhere");
  const CallId server = harness.MakeReady(v1::SERVER, 0);
  harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
  EXPECT_FALSE(harness.answered(server));
  const CallId last = harness.MakeReady(v1::WORKER, 1, MakeSetup(10, 2));
  EXPECT_EQ(harness.core().failure(), "too little memory");
  EXPECT_EQ(servers_here, 1u);
  EXPECT_EQ(workers_here, 1u);
  for (const CallId call : {server, last}) {
    EXPECT_EQ(harness.Error(call).code(), absl::StatusCode::kFailedPrecondition);
  }
}

// Whatever comes of it.
void StartOneOfEach(CoreHarness* harness) {
  harness->Join(v1::SERVER, 0);
  harness->Join(v1::WORKER, 0);
  harness->MakeReady(v1::SERVER, 0);
  harness->MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
}

CoordinatorCore::Options InitOptions() {
  CoordinatorCore::Options options;
  options.job = MakeJob("sync", 1, 1);
  options.job.mutable_init()->set_from("runs/a");
  return options;
}

TEST(CoordinatorStartTest, PlanOfTheFirstWeightsIsToldToAllAndIsTheFirstEvent) {
  CoordinatorCore::Options options = InitOptions();
  options.plan_init = [](const v1::Job& job, std::span<const VariableSpec> variables,
                         std::span<const TableSpec>) {
    v1::InitPlan plan;
    plan.set_path(job.init().from() + "/x");
    plan.add_variables()->set_name(variables[0].name);
    return plan;
  };
  CoreHarness harness(std::move(options));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  const CallId server = harness.MakeReady(v1::SERVER, 0);
  const CallId worker = harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
  for (const CallId call : {server, worker}) {
    const auto assignment = harness.Answer<v1::Assignment>(call);
    EXPECT_EQ(assignment.init().path(), "runs/a/x");
    EXPECT_EQ(assignment.init().variables(0).name(), "weight");
  }
  const auto progress = harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0));
  ASSERT_GE(progress.events_size(), 1);
  EXPECT_THAT(progress.events(0), ::testing::HasSubstr("\"kind\":\"init\""));
}

TEST(CoordinatorStartTest, FirstWeightsThatDoNotFitFailTheJob) {
  CoordinatorCore::Options options = InitOptions();
  options.plan_init = [](const v1::Job&, std::span<const VariableSpec>,
                         std::span<const TableSpec>) -> absl::StatusOr<v1::InitPlan> {
    return absl::InvalidArgumentError("runs/a does not fit the model");
  };
  CoreHarness harness(std::move(options));
  StartOneOfEach(&harness);
  EXPECT_EQ(harness.core().phase(), v1::FAILED);
  EXPECT_EQ(harness.core().failure(), "runs/a does not fit the model");
}

TEST(CoordinatorStartTest, FreezingWhatTheModelHasNotFailsTheJob) {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_optimizer()->add_freeze("wait");
  CoreHarness harness(job);
  StartOneOfEach(&harness);
  EXPECT_THAT(harness.core().failure(), ::testing::HasSubstr("\"wait\" matches no variable"));
}

TEST(CoordinatorStartTest, ObserversSeeTheMemoryOfAJobThatIsAdmitted) {
  CoordinatorCore::Options options;
  options.job = MakeJob("sync", 1, 1);
  options.admit = [](const v1::Assignment&, uint32_t, uint32_t) {
    v1::MemoryReport memory;
    memory.set_worker_bytes(17);
    return memory;
  };
  CoreHarness harness(std::move(options));
  harness.StartAll(1, 1, MakeSetup(10, 2));
  const auto progress = harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0));
  EXPECT_EQ(progress.memory().worker_bytes(), 17u);
}

TEST(CoordinatorStartTest, WhoNeverCameIsNamedWhenTheTimeIsUp) {
  CoreHarness harness(MakeJob("sync", 1, 2));  // startup_timeout_ms 60000
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  const CallId server = harness.MakeReady(v1::SERVER, 0);
  harness.MakeReady(v1::WORKER, 0, MakeSetup(10, 2));
  EXPECT_EQ(harness.core().NextDeadline(), harness.now() + absl::Seconds(60));
  harness.Advance(absl::Milliseconds(59'999));
  EXPECT_EQ(harness.core().phase(), v1::STARTING);
  harness.Advance(absl::Milliseconds(1));
  EXPECT_EQ(harness.core().failure(),
            "the job could not start within 60 s: waiting for worker 1 (never registered)");
  EXPECT_EQ(harness.Error(server).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CoordinatorStartTest, ARegistrationGivesTheOthersNewTime) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Advance(absl::Seconds(59));
  harness.Join(v1::SERVER, 0);
  harness.MakeReady(v1::SERVER, 0);
  harness.Advance(absl::Seconds(59));
  EXPECT_EQ(harness.core().phase(), v1::STARTING);
}

TEST(CoordinatorStartTest, AProcessThatReadsItsDataAndSaysSoIsWaitedFor) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  harness.MakeReady(v1::SERVER, 0);
  v1::HeartbeatRequest beat = harness.Beat(v1::WORKER, 0);
  beat.set_activity("reading train.libsvm, 40 %");
  for (int i = 0; i < 100; ++i) {
    harness.Heartbeat(beat);
    harness.Advance(absl::Seconds(5));
  }
  EXPECT_EQ(harness.core().phase(), v1::STARTING);
  const auto progress = harness.Answer<v1::GetProgressReply>(harness.GetProgress(0, 0));
  EXPECT_EQ(progress.waiting_for(),
            "worker 0 (registered 500 s ago and last said \"reading train.libsvm, 40 "
            "%\")");
}

TEST(CoordinatorStartTest, AProcessThatOnlyBeatsIsNotWaitedForWithoutEnd) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  harness.MakeReady(v1::SERVER, 0);
  for (int i = 0; i < 12; ++i) {
    harness.Heartbeat(harness.Beat(v1::WORKER, 0));
    harness.Advance(absl::Seconds(5));
  }
  EXPECT_THAT(harness.core().failure(), HasSubstr("waiting for worker 0 (registered 60 s ago)"));
}

TEST(CoordinatorStartTest, AProcessWhoseHeartbeatsStopIsLostBeforeTheTrainingToo) {
  CoreHarness harness(MakeJob("sync", 1, 1));  // lost_after_ms 10000
  harness.Join(v1::WORKER, 0);
  v1::HeartbeatRequest beat = harness.Beat(v1::WORKER, 0);
  beat.set_activity("reading a.gz");
  harness.Heartbeat(beat);
  harness.Advance(absl::Milliseconds(10'200));
  EXPECT_EQ(harness.core().failure(),
            "worker 0 was not heard of for 10.2 s, it last said \"reading a.gz\"");
}

TEST(CoordinatorStartTest, AStopBeforeTheTrainingEndsTheJob) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  const CallId ready = harness.MakeReady(v1::SERVER, 0);
  harness.Stop("Ctrl-C");
  EXPECT_EQ(harness.core().failure(), "stopped before the training began: Ctrl-C");
  EXPECT_FALSE(harness.Error(ready).ok());
}

TEST(CoordinatorStartTest, AFailedJobTakesNobodyIn) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Fail("a process was killed by SIGKILL");
  v1::RegisterRequest request;
  request.set_role(v1::WORKER);
  const CallId call = harness.Register(request);
  EXPECT_THAT(std::string(harness.Error(call).message()), HasSubstr("killed by SIGKILL"));
}

TEST(CoordinatorStartTest, AClientThatHasGoneIsNotAnswered) {
  CoreHarness harness(MakeJob("sync", 1, 1));
  harness.Join(v1::SERVER, 0);
  harness.Join(v1::WORKER, 0);
  const CallId call = harness.MakeReady(v1::SERVER, 0);
  harness.Cancel(call);
  harness.MakeReady(v1::WORKER, 0, MakeSetup(1, 0));
  EXPECT_FALSE(harness.answered(call));
  EXPECT_EQ(harness.core().phase(), v1::TRAINING);
}

}  // namespace
}  // namespace convoy
