// The limit for everything that goes through gRPC: one bidirectional stream of raw byte buffers, a
// completion queue and one thread on each side, payloads by reference, plain SGD. No checks, marks,
// versions, sessions or errors.
#ifndef CONVOY_TESTS_BENCHMARKS_BARE_STREAM_H_
#define CONVOY_TESTS_BENCHMARKS_BARE_STREAM_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/aligned_buffer.h"
#include "tests/benchmarks/block_versions.h"
#include "tests/benchmarks/push_pull.h"

namespace convoy::benchmarks {

class BareStreamServer final : public PushPullServer {
 public:
  explicit BareStreamServer(const Tensor& tensor);
  ~BareStreamServer() override;
  std::string address() const override { return address_; }

 private:
  struct Call;

  void Accept();
  void Run();
  void OnRead(Call* call);
  void Write(Call* call);

  BlockVersions weights_;
  std::string address_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::thread thread_;
};

class BareStreamClient final : public PushPullClient {
 public:
  BareStreamClient(const Tensor& tensor, const std::vector<std::string>& addresses);
  ~BareStreamClient() override;
  void Step() override;
  void Wait() override;
  // Waits until what was pushed has left.
  void Flush();

 private:
  struct Call;

  void Push(int64_t block);
  void Write(Call* call);
  // Handles one completion.
  void Advance();
  void OnRead(Call* call);

  const Tensor tensor_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Call>> calls_;  // by server
  AlignedBuffer gradient_, weights_;
  std::vector<bool> pending_;  // by block
  int64_t in_flight_ = 0;
};

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_BARE_STREAM_H_
