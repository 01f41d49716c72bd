// For tests: a parameter server with a small linear model in this process, and ordinary clients for
// it.
#ifndef CONVOY_TESTS_INTEGRATION_LINEAR_SERVER_H_
#define CONVOY_TESTS_INTEGRATION_LINEAR_SERVER_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/math/variable.h"
#include "proto/parameter_server.grpc.pb.h"
#include "ps/parameter_service.h"

namespace convoy::testing {

// Cell 0 is "weight", cell 1 is "bias"; one update rule, plain SGD.
class LinearServer {
 public:
  struct Options {
    std::string mode = "sync";
    uint32_t slices = 1;
    double learning_rate = 0.5;
    // Of one block each.
    std::vector<VariableSpec> variables = {{"weight", {3}, Initializer::Zeros()},
                                           {"bias", {1}, Initializer::Constant(0.5f)}};
    size_t max_backlog_bytes = size_t{256} << 20;
  };
  static constexpr uint64_t kJobId = 0x1122334455667788;
  static constexpr uint64_t kGeneration = 2;

  explicit LinearServer(const Options& options);

  ParameterService& service() { return *service_; }
  // A new connection.
  std::shared_ptr<grpc::Channel> Connect() const;

 private:
  std::unique_ptr<ParameterService> service_;
};

// What a deadline bounds in these tests; reached only if a test fails.
std::chrono::system_clock::time_point TestDeadline();

// The Exchange stream of an ordinary generated client.
class ExchangeStream {
 public:
  ExchangeStream(const std::shared_ptr<grpc::Channel>& channel, uint32_t worker, uint64_t session);
  ~ExchangeStream();

  // A request with everything filled in that does not depend on what is asked for.
  v1::ExchangeRequest NewRequest();
  bool Write(const v1::ExchangeRequest& request) { return stream_->Write(request); }
  // The next reply. Fails the test if the stream ends instead.
  v1::ExchangeReply Read();
  v1::ExchangeReply Ask(const v1::ExchangeRequest& request);
  void WritesDone() { stream_->WritesDone(); }
  // Reads to the end of the stream.
  grpc::Status Finish();
  void Cancel() { context_.TryCancel(); }

 private:
  const uint32_t worker_;
  const uint64_t session_;
  uint64_t next_request_ = 1;
  grpc::ClientContext context_;
  const std::unique_ptr<v1::ParameterServer::Stub> stub_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::ExchangeRequest, v1::ExchangeReply>> stream_;
};

void AddContribution(uint32_t cell, uint64_t base_version, const std::vector<float>& values,
                     v1::ExchangeRequest* request);
std::vector<float> Values(const v1::CellValues& cell);

// A call of any method that carries bytes as they are.
class RawCall {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method);
  ~RawCall();

  bool Write(std::string_view bytes);
  void WritesDone();
  // False: the call has ended.
  bool Read(std::string* bytes);
  grpc::Status Finish();
  // For a method with one request and one reply; "" if it fails.
  std::string Ask(std::string_view bytes);

 private:
  bool Await();

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool finished_ = false;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_INTEGRATION_LINEAR_SERVER_H_
