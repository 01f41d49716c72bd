// A coordinator that says what a test wants to its servers and workers.
#ifndef CONVOY_TESTS_TESTING_TEST_COORDINATOR_H_
#define CONVOY_TESTS_TESTING_TEST_COORDINATOR_H_

#include <grpcpp/grpcpp.h>

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

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_TEST_COORDINATOR_H_
