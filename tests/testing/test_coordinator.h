// A coordinator that says what a test wants to its servers and workers.
#ifndef CONVOY_TESTS_TESTING_TEST_COORDINATOR_H_
#define CONVOY_TESTS_TESTING_TEST_COORDINATOR_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/coordinator.grpc.pb.h"

namespace convoy::testing {

// Heirs override the calls that come. Calls use members of the heir, so that it calls Start in its
// constructor, when they are there, and Shutdown in its destructor, while they still are.
class TestCoordinator : public v1::Coordinator::Service {
 public:
  // On loopback.
  const std::string& address() const { return address_; }

 protected:
  TestCoordinator() = default;
  ~TestCoordinator() override = default;

  void Start() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  // Returns when no call is under way any more.
  void Shutdown() { server_->Shutdown(); }

 private:
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// Whoever comes is a worker of a job that trains.
class TrainingCoordinator : public TestCoordinator {
 protected:
  explicit TrainingCoordinator(uint64_t job) : job_(job) {}
  ~TrainingCoordinator() override = default;

  // `reply` is news, and says that the job trains; heirs say more, or something else.
  virtual void OnHeartbeat(const v1::HeartbeatRequest& request, v1::HeartbeatReply* reply) = 0;

 private:
  grpc::Status Register(grpc::ServerContext*, const v1::RegisterRequest*,
                        v1::RegisterReply* reply) final {
    reply->mutable_identity()->set_role(v1::WORKER);
    reply->mutable_identity()->set_job_id(job_);
    return grpc::Status::OK;
  }
  grpc::Status Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest* request,
                         v1::HeartbeatReply* reply) final {
    reply->set_sequence(++heartbeats_);
    reply->set_phase(v1::TRAINING);
    OnHeartbeat(*request, reply);
    return grpc::Status::OK;
  }

  const uint64_t job_;
  std::atomic<uint64_t> heartbeats_ = 0;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_TEST_COORDINATOR_H_
