// A server that has registered and waits for its part.
#include "ps/server.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/stream_client.h"
#include "common/net/wire_checksum.h"
#include "tests/testing/test_coordinator.h"

namespace convoy {
namespace {

// Of a job with cluster.wire_checksums. Lets the server wait for its part until the end.
class UnreadyCoordinator final : public testing::TestCoordinator {
 public:
  UnreadyCoordinator() { Start(); }
  ~UnreadyCoordinator() override { Shutdown(); }

  // Waits until the server waits for its part; returns its address.
  std::string AwaitReady() {
    MutexLock lock(mutex_);
    while (!ready_) changed_.Wait(mutex_);
    return registered_;
  }
  void End() {
    MutexLock lock(mutex_);
    ended_ = true;
    changed_.NotifyAll();
  }

 private:
  grpc::Status Register(grpc::ServerContext*, const v1::RegisterRequest* request,
                        v1::RegisterReply* reply) override {
    MutexLock lock(mutex_);
    registered_ = request->address();
    reply->mutable_identity()->set_role(v1::SERVER);
    reply->mutable_job()->mutable_cluster()->set_wire_checksums(true);
    reply->mutable_job()->mutable_cluster()->set_heartbeat_ms(20);
    return grpc::Status::OK;
  }
  grpc::Status Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest*,
                         v1::HeartbeatReply* reply) override {
    absl::SleepFor(absl::Milliseconds(5));
    reply->set_phase(v1::STARTING);
    return grpc::Status::OK;
  }
  grpc::Status Ready(grpc::ServerContext*, const v1::ReadyRequest*, v1::Assignment*) override {
    MutexLock lock(mutex_);
    ready_ = true;
    changed_.NotifyAll();
    while (!ended_) changed_.Wait(mutex_);
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "the test has ended");
  }

  Mutex mutex_;
  CondVar changed_;
  std::string registered_ CONVOY_GUARDED_BY(mutex_);
  bool ready_ CONVOY_GUARDED_BY(mutex_) = false;
  bool ended_ CONVOY_GUARDED_BY(mutex_) = false;
};

TEST(ServerTest, WithChecksumsEvenTheAnswerThatItHasNoPartYetCarriesOne) {
  UnreadyCoordinator coordinator;
  absl::Status status;
  std::thread server([&] {
    ServerOptions options;
    options.coordinator = coordinator.address();
    status = RunServer(options);
  });
  const std::string address = coordinator.AwaitReady();
  {
    StreamClient streams("/convoy.v1.ParameterServer/Exchange");
    streams.Open(0, address);
    StreamClient::Event event;
    const absl::Time deadline = SteadyNow() + absl::Seconds(10);
    EXPECT_TRUE(streams.Poll(deadline, &event)) << "nothing comes";
    EXPECT_EQ(event.kind, StreamClient::Event::Kind::kOpened) << event.status;
    ExchangeRequest request;
    request.request_id = 5;
    WireMessage message = Encode(request);
    AddChecksum(&message);
    streams.Send(0, message);
    EXPECT_TRUE(streams.Poll(deadline, &event)) << "nothing comes";
    EXPECT_EQ(event.kind, StreamClient::Event::Kind::kMessage) << event.status;
    EXPECT_TRUE(VerifyChecksum(event.message).ok()) << VerifyChecksum(event.message);
    const absl::StatusOr<ExchangeReply> reply = DecodeReply(event.message);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (reply.ok()) {
      EXPECT_EQ(reply->code, absl::StatusCode::kUnavailable);
      EXPECT_EQ(reply->request_id, 5u);
    }
  }
  coordinator.End();
  server.join();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

}  // namespace
}  // namespace convoy
