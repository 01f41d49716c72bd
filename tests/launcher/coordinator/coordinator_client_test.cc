#include "common/net/coordinator_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "launcher/coordinator/coordinator_service.h"
#include "tests/launcher/coordinator/toy_processes.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<CoordinatorService> StartService(v1::Job job) {
  CoordinatorService::Options options;
  options.job = std::move(job);
  options.job_id = kJobId;
  auto service = CoordinatorService::Start(std::move(options));
  EXPECT_TRUE(service.ok()) << service.status();
  return *std::move(service);
}

std::unique_ptr<CoordinatorClient> Registered(const CoordinatorService& service, v1::Role role) {
  auto client = CoordinatorClient::Connect(
      {.address = service.address(), .unreachable_after = absl::Milliseconds(500)});
  EXPECT_TRUE(client.ok()) << client.status();
  v1::RegisterRequest request;
  request.set_role(role);
  request.set_wanted_rank(-1);
  request.set_address("127.0.0.1:9");
  EXPECT_TRUE((*client)->Register(request).ok());
  return *std::move(client);
}

TEST(CoordinatorClientTest, ACoordinatorThatIsNotThereIsNamed) {
  const auto client = CoordinatorClient::Connect(
      {.address = "127.0.0.1:1", .unreachable_after = absl::Milliseconds(100)});
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client.status().message(), "coordinator at 127.0.0.1:1 not reachable for 0.1 s");
}

TEST(CoordinatorClientTest, ACoordinatorThatGoesIsNamedByEveryCall) {
  auto service = StartService(MakeJob("sync", 1, 1));
  const auto client = Registered(*service, v1::WORKER);
  service.reset();
  const absl::Status status = client->Stop("");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("not reachable for 0.5 s"));
}

TEST(CoordinatorClientTest, HeartbeatsEndWithTheErrorWhenTheCoordinatorIsGone) {
  auto service = StartService(MakeJob("sync", 1, 1));
  const auto client = Registered(*service, v1::WORKER);
  std::promise<absl::Status> error;
  client->StartHeartbeats(
      absl::Milliseconds(50), [](v1::HeartbeatRequest*) {},
      [&error](const absl::StatusOr<v1::HeartbeatReply>& reply) {
        if (!reply.ok()) error.set_value(reply.status());
      });
  service.reset();
  EXPECT_EQ(error.get_future().get().code(), absl::StatusCode::kUnavailable);
}

TEST(CoordinatorClientTest, HeartbeatNowDoesNotWaitForThePeriod) {
  v1::Job job = MakeJob("sync", 1, 1);
  job.mutable_cluster()->set_lost_after_ms(3'600'000);
  const auto service = StartService(job);
  const auto client = Registered(*service, v1::WORKER);
  std::atomic<bool> reading{false};
  std::promise<void> first;
  client->StartHeartbeats(
      absl::Minutes(10),
      [&reading](v1::HeartbeatRequest* beat) { beat->set_activity(reading ? "reading" : ""); },
      [&first, told = false](const absl::StatusOr<v1::HeartbeatReply>&) mutable {
        if (!std::exchange(told, true)) first.set_value();
      });
  first.get_future().get();
  reading = true;
  client->HeartbeatNow();
  // The test's own timeout is far below the period.
  std::string activity;
  while (activity != "reading") activity = client->GetProgress(0, 0)->processes(0).activity();
  client->StopHeartbeats();
}

TEST(CoordinatorClientTest, TheRefusalOfTheCoordinatorIsPassedOn) {
  const auto service = StartService(MakeJob("sync", 1, 1));
  const auto first = Registered(*service, v1::WORKER);
  const auto second = ConnectTo(service->address());
  v1::RegisterRequest request;
  request.set_role(v1::WORKER);
  EXPECT_EQ(second->Register(request).status().message(),
            "the job has 1 worker, all have registered");
}

TEST(CoordinatorClientTest, TasksAreTakenCompletedAndReportedToTheEnd) {
  v1::Job job = MakeJob("async", 1, 1);
  job.mutable_training()->set_batches_per_task(1);
  const auto service = StartService(job);
  const auto server = Registered(*service, v1::SERVER), worker = Registered(*service, v1::WORKER);
  auto ready = std::async(std::launch::async, [&server] { return server->Ready({}); });
  ASSERT_TRUE(worker->Ready(MakeSetup(10, 2)).ok());
  ASSERT_TRUE(ready.get().ok());
  uint64_t completed = 0, training = 0, validation = 0;
  for (;;) {
    const auto reply = worker->NextTask(completed);
    ASSERT_TRUE(reply.ok()) << reply.status();
    if (reply->end()) break;
    const v1::DataTask& task = reply->task();
    completed = task.id();
    (task.validation() ? validation : training) += task.end() - task.begin();
    v1::ReportRequest report;
    report.set_kind(task.validation() ? v1::ReportRequest::VALIDATION : v1::ReportRequest::TRAIN);
    report.set_part(task.id());
    report.set_step_begin(task.epoch());
    *report.mutable_sums() = MakeSums(task.end() - task.begin(), 1);
    ASSERT_TRUE(worker->Report(report).ok());
  }
  EXPECT_EQ(training, 10u);
  EXPECT_EQ(validation, 2u);
  // Three tasks and a validation.
  EXPECT_EQ(worker->GetProgress(0, 0)->events_size(), 4);
}

// Which takes longer than a coordinator may be away.
TEST(CoordinatorClientTest, AWorkerThatJoinsAsksUntilThereIsRoomForIt) {
  v1::Job job = MakeJob("async", 1, 1);
  job.mutable_training()->set_batches_per_task(1);
  const auto service = StartService(job);
  const auto server = Registered(*service, v1::SERVER), worker = Registered(*service, v1::WORKER);
  auto ready = std::async(std::launch::async, [&server] { return server->Ready({}); });
  ASSERT_TRUE(worker->Ready(MakeSetup(10, 0)).ok());
  ASSERT_TRUE(ready.get().ok());
  const auto joiner = CoordinatorClient::Connect(
      {.address = service->address(), .unreachable_after = absl::Milliseconds(500)});
  ASSERT_TRUE(joiner.ok()) << joiner.status();
  auto joined = std::async(std::launch::async, [&joiner] {
    v1::RegisterRequest request;
    request.set_role(v1::WORKER);
    request.set_wanted_rank(-1);
    return (*joiner)->Register(request);
  });
  EXPECT_EQ(joined.wait_for(std::chrono::milliseconds(1000)), std::future_status::timeout);
  v1::HeartbeatRequest last;
  last.set_finished(true);
  ASSERT_TRUE(worker->Heartbeat(last).ok());
  const absl::StatusOr<v1::RegisterReply> reply = joined.get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->rejoins());
}

}  // namespace
}  // namespace convoy
