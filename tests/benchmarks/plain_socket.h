// The limit of the machine: the same work over one TCP connection without gRPC.
#ifndef CONVOY_TESTS_BENCHMARKS_PLAIN_SOCKET_H_
#define CONVOY_TESTS_BENCHMARKS_PLAIN_SOCKET_H_

#include <string>
#include <thread>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/files/owned_fd.h"
#include "tests/benchmarks/block_versions.h"
#include "tests/benchmarks/push_pull.h"

namespace convoy::benchmarks {

// Serves one connection, blocking.
class PlainSocketServer final : public PushPullServer {
 public:
  explicit PlainSocketServer(const Tensor& tensor);
  ~PlainSocketServer() override;
  std::string address() const override { return address_; }

 private:
  void Run();

  BlockVersions weights_;
  OwnedFd listener_;
  std::string address_;
  std::thread thread_;
};

// Sends and receives without blocking, so that neither side can wait for the other's full buffer.
class PlainSocketClient final : public PushPullClient {
 public:
  PlainSocketClient(const Tensor& tensor, const std::string& address);
  void Step() override;
  void Wait() override;

 private:
  void Push(int64_t block);
  // Reads what is there of a reply; waits for something to read, or to write if `writing`.
  void Advance(bool writing);

  const Tensor tensor_;
  OwnedFd socket_;
  AlignedBuffer gradient_, weights_;
  std::vector<bool> pending_;  // by block
  int64_t in_flight_ = 0;
  BlockHeader header_{};  // of the reply that is being read
  size_t received_ = 0;   // bytes of that reply, header included
};

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_PLAIN_SOCKET_H_
