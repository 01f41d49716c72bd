#include "launcher/coordinator/coordinator_service.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proto/coordinator.grpc.pb.h"
#include "tests/launcher/coordinator/raw_call.h"
#include "tests/launcher/coordinator/toy_processes.h"
#include "tests/testing/run_program.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(50);

// A service, and two servers and two workers as threads.
class ToyCluster {
 public:
  // Steps of 4 examples.
  ToyCluster(uint64_t steps, const Clock& clock = Clock::Real()) : barrier_(2) {
    options_.job = MakeJob("sync", 2, 2);
    options_.job_id = kJobId;
    options_.clock = &clock;
    options_.journal = folder_ / "coordinator.journal";
    options_.on_event = [this](const std::string& line) { events_.push_back(line); };
    options_.save_model = [this](const v1::Assignment& assignment, const std::string&) {
      saved_.push_back(assignment);
      return absl::OkStatus();
    };
    auto started = CoordinatorService::Start(options_);
    EXPECT_TRUE(started.ok()) << started.status();
    service_ = *std::move(started);
    for (uint32_t rank = 0; rank < 2; ++rank) {
      servers_.push_back(std::make_unique<ToyServer>(service_->address(), rank));
      workers_.push_back(
          std::make_unique<ToyWorker>(service_->address(), rank, steps * 4, &barrier_));
    }
  }

  void Start() {
    for (auto& worker : workers_) worker->Start();
    for (auto& server : servers_) server->Start();
  }
  // Ends the threads and the service; then the rest may be read.
  void Join() {
    for (auto& worker : workers_) worker->Join();
    for (auto& server : servers_) server->Join();
    service_->Stop();
  }

  // Another one goes on in the place of the service.
  void ReplaceService() {
    service_->Stop();
    const std::string address = service_->address();
    service_.reset();
    options_.recover = true;
    options_.events_delivered = events_.size();
    auto started = CoordinatorService::Start(options_);
    ASSERT_TRUE(started.ok()) << started.status();
    service_ = *std::move(started);
    EXPECT_EQ(service_->address(), address);
  }

  CoordinatorService& service() { return *service_; }
  ToyWorker& worker(size_t rank) { return *workers_[rank]; }
  ToyServer& server(size_t rank) { return *servers_[rank]; }
  const std::vector<std::string>& events() const { return events_; }
  const std::vector<v1::Assignment>& saved() const { return saved_; }

 private:
  testing::TemporaryFolder folder_;
  CoordinatorService::Options options_;
  StepBarrier barrier_;
  std::vector<std::string> events_;
  std::vector<v1::Assignment> saved_;
  std::unique_ptr<CoordinatorService> service_;
  std::vector<std::unique_ptr<ToyServer>> servers_;
  std::vector<std::unique_ptr<ToyWorker>> workers_;
};

std::unique_ptr<CoordinatorService> StartService(uint32_t servers, uint32_t workers,
                                                 const Clock& clock = Clock::Real()) {
  CoordinatorService::Options options;
  options.job = MakeJob("sync", servers, workers);
  options.job_id = kJobId;
  options.clock = &clock;
  auto service = CoordinatorService::Start(std::move(options));
  EXPECT_TRUE(service.ok()) << service.status();
  return *std::move(service);
}

std::unique_ptr<v1::Coordinator::Stub> StubOf(const CoordinatorService& service) {
  return v1::Coordinator::NewStub(
      grpc::CreateChannel(service.address(), grpc::InsecureChannelCredentials()));
}

TEST(CoordinatorServiceTest, AJobOfServersAndWorkersRunsToItsEnd) {
  ToyCluster cluster(/*steps=*/6);
  cluster.Start();
  ASSERT_TRUE(cluster.service().WaitUntilEnded(kLong));
  EXPECT_EQ(cluster.service().failure(), "");
  const auto summary = nlohmann::json::parse(cluster.service().summary());
  cluster.Join();
  EXPECT_EQ(summary["steps"], 6);
  EXPECT_EQ(summary["examples"], 24);
  EXPECT_EQ(summary["stopped_early"], false);
  ASSERT_EQ(cluster.events().size(), 3u);
  EXPECT_EQ(nlohmann::json::parse(cluster.events()[2])["step"], 6);
  ASSERT_EQ(cluster.saved().size(), 1u);
  EXPECT_EQ(cluster.saved()[0].servers_size(), 2);
  EXPECT_EQ(cluster.server(1).last().phase(), v1::DONE);
}

TEST(CoordinatorServiceTest, AnotherServiceGoesOnFromTheJournalAndNobodyNotices) {
  ToyCluster cluster(/*steps=*/3000);
  cluster.Start();
  for (int i = 0; i < 5; ++i) {
    absl::SleepFor(absl::Milliseconds(60));
    cluster.ReplaceService();
  }
  EXPECT_TRUE(cluster.service().WaitUntilEnded(kLong));
  cluster.Join();
  EXPECT_EQ(cluster.service().failure(), "");
  uint64_t step = 0, recovered = 0;
  for (const std::string& line : cluster.events()) {
    const nlohmann::json event = nlohmann::json::parse(line);
    if (event["kind"] == "recovered") ++recovered;
    if (event["kind"] != "train") continue;
    EXPECT_EQ(event["step"], step += 2);
    EXPECT_EQ(event["generation"], 1);
  }
  EXPECT_EQ(step, 3000u);
  EXPECT_EQ(recovered, 5u) << "the job was over before";
  EXPECT_EQ(cluster.saved().size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(cluster.service().summary())["coordinators_replaced"], 5);
}

TEST(CoordinatorServiceTest, AStopEndsAllWorkersAtTheSameStep) {
  ToyCluster cluster(/*steps=*/1'000'000'000);
  cluster.Start();
  const auto client = ConnectTo(cluster.service().address());
  v1::GetProgressReply progress;
  while (progress.events_size() == 0 && progress.phase() != v1::FAILED) {
    progress = client->GetProgress(0, progress.sequence()).value();
  }
  ASSERT_TRUE(client->Stop("enough").ok());
  ASSERT_TRUE(cluster.service().WaitUntilEnded(kLong));
  EXPECT_EQ(cluster.service().failure(), "");
  const auto summary = nlohmann::json::parse(cluster.service().summary());
  cluster.Join();
  EXPECT_EQ(summary["stopped_early"], true);
  EXPECT_EQ(cluster.worker(0).steps(), cluster.worker(1).steps());
  EXPECT_EQ(summary["steps"], cluster.worker(0).steps());
  EXPECT_EQ(cluster.saved().size(), 1u);
}

TEST(CoordinatorServiceTest, TheFailureOfOneProcessReachesAll) {
  ToyCluster cluster(/*steps=*/10);
  for (size_t rank = 0; rank < 2; ++rank) {
    cluster.worker(rank).FailAt(4, rank == 1 ? "disk on fire" : "");
  }
  cluster.Start();
  ASSERT_TRUE(cluster.service().WaitUntilEnded(kLong));
  EXPECT_EQ(cluster.service().failure(), "worker 1: disk on fire");
  cluster.Join();
  for (size_t rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(cluster.server(rank).last().phase(), v1::FAILED);
    EXPECT_EQ(cluster.worker(rank).last().failure(), "worker 1: disk on fire");
  }
  EXPECT_TRUE(cluster.saved().empty());
}

TEST(CoordinatorServiceTest, AServerThatFallsSilentFailsTheJob) {
  SettableClock clock;
  const auto service = StartService(1, 1, clock);  // lost_after_ms 10000
  const auto server = ConnectTo(service->address()), worker = ConnectTo(service->address());
  v1::RegisterRequest request;
  request.set_role(v1::SERVER);
  request.set_address("127.0.0.1:9");
  ASSERT_TRUE(server->Register(request).ok());
  request.set_role(v1::WORKER);
  ASSERT_TRUE(worker->Register(request).ok());
  auto ready = std::async(std::launch::async, [&server] { return server->Ready({}); });
  ASSERT_TRUE(worker->Ready(MakeSetup(8, 0)).ok());
  ASSERT_TRUE(ready.get().ok());
  ASSERT_TRUE(server->Heartbeat({}).ok());
  clock.Advance(absl::Seconds(6));
  ASSERT_TRUE(worker->Heartbeat({}).ok());
  clock.Advance(absl::Seconds(5));
  ASSERT_TRUE(worker->Heartbeat({}).ok());  // The service looks at its clock now and then.
  v1::GetProgressReply progress;
  while (progress.phase() != v1::FAILED) {
    progress = worker->GetProgress(0, progress.sequence()).value();
  }
  EXPECT_THAT(service->failure(), HasSubstr("server 0 was not heard of for 11 s"));
}

TEST(CoordinatorServiceTest, APortInUseIsNamed) {
  const auto service = StartService(1, 1);
  CoordinatorService::Options options;
  options.job = MakeJob("sync", 1, 1);
  options.job_id = kJobId;
  options.listen = service->address();
  const absl::Status status = CoordinatorService::Start(std::move(options)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(service->address()));
}

TEST(CoordinatorServiceTest, AnAddressThatIsNotLoopbackIsRefused) {
  CoordinatorService::Options options;
  options.job = MakeJob("sync", 1, 1);
  options.job_id = kJobId;
  options.listen = "0.0.0.0:0";
  EXPECT_EQ(CoordinatorService::Start(std::move(options)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CoordinatorServiceTest, HealthAndReflectionAnswer) {
  const auto service = StartService(1, 1);
  // HealthCheckResponse { status: SERVING } is field 1, value 1.
  EXPECT_EQ(RawCall(service->address(), "/grpc.health.v1.Health/Check", ""), "\x08\x01");
  // ServerReflectionRequest { list_services: "" } is field 7, an empty string.
  const std::string services =
      RawCall(service->address(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x00", 2));
  EXPECT_THAT(services, HasSubstr("convoy.v1.Coordinator"));
}

TEST(CoordinatorServiceTest, AMethodThatIsNotThereIsUnimplemented) {
  const auto service = StartService(1, 1);
  const auto channel = grpc::CreateChannel(service->address(), grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const grpc::Slice nothing;
  grpc::ByteBuffer request(&nothing, 1), reply;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/convoy.v1.Coordinator/Fly", {}, &request, &reply,
                 [&done](const grpc::Status& status) { done.set_value(status); });
  EXPECT_EQ(done.get_future().get().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(CoordinatorServiceTest, ARequestWithoutSenseIsInvalidOnTheWire) {
  const auto service = StartService(1, 1);
  const auto stub = StubOf(*service);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::RegisterRequest request;
  request.set_role(static_cast<v1::Role>(17));
  v1::RegisterReply reply;
  const grpc::Status status = stub->Register(&context, request, &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("got 17, want SERVER (1) or WORKER (2)"));
}

// A call that stays parked: an observer that has seen everything.
class ParkedObserver {
 public:
  explicit ParkedObserver(const CoordinatorService& service) : stub_(StubOf(service)) {
    v1::GetProgressRequest first;
    grpc::ClientContext context;
    EXPECT_TRUE(stub_->GetProgress(&context, first, &reply_).ok());
    request_.set_seen(reply_.sequence());
    request_.set_wait_ms(3'600'000);
    stub_->async()->GetProgress(&context_, &request_, &reply_,
                                [this](const grpc::Status& status) { done_.set_value(status); });
  }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Wait() { return done_.get_future().get(); }

 private:
  std::unique_ptr<v1::Coordinator::Stub> stub_;
  grpc::ClientContext context_;
  v1::GetProgressRequest request_;
  v1::GetProgressReply reply_;
  std::promise<grpc::Status> done_;
};

TEST(CoordinatorServiceTest, ACallerThatGoesIsForgotten) {
  const auto service = StartService(1, 1);
  ParkedObserver gone(*service), stays(*service);
  gone.Cancel();
  EXPECT_EQ(gone.Wait().error_code(), grpc::StatusCode::CANCELLED);
  service->Fail("the end");
  EXPECT_TRUE(stays.Wait().ok());
}

TEST(CoordinatorServiceTest, StoppingTheServiceAnswersWhatIsParked) {
  const auto service = StartService(1, 1);
  const auto stub = StubOf(*service);
  v1::RegisterRequest registration;
  registration.set_role(v1::SERVER);
  registration.set_address("127.0.0.1:9");
  v1::RegisterReply registered;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->Register(&context, registration, &registered).ok());
  // Of two calls the one that arrives later is parked in place of the other, which is answered.
  v1::ReadyRequest request;
  *request.mutable_identity() = registered.identity();
  grpc::ClientContext contexts[2];
  v1::Assignment replies[2];
  std::atomic<int> answered{0};
  std::promise<grpc::Status> replaced, parked;
  for (int i = 0; i < 2; ++i) {
    stub->async()->Ready(&contexts[i], &request, &replies[i], [&](const grpc::Status& status) {
      (answered++ == 0 ? replaced : parked).set_value(status);
    });
  }
  EXPECT_TRUE(replaced.get_future().get().ok());
  service->Stop();
  EXPECT_EQ(parked.get_future().get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(CoordinatorServiceTest, AFailureFromOutsideEndsTheJob) {
  const auto service = StartService(1, 1);
  service->Fail("worker 0 was killed by SIGKILL");
  ASSERT_TRUE(service->WaitUntilEnded(kLong));
  EXPECT_EQ(service->failure(), "worker 0 was killed by SIGKILL");
  service->Fail("and another");
  EXPECT_EQ(service->failure(), "worker 0 was killed by SIGKILL");
}

TEST(CoordinatorServiceTest, WaitingForAJobThatRunsEndsInTime) {
  const auto service = StartService(1, 1);
  EXPECT_FALSE(service->WaitUntilEnded(absl::Milliseconds(1)));
}

}  // namespace
}  // namespace convoy
