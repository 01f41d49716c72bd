// What the parties of the transport benchmark have in common: a tensor in blocks, one server in a
// process of its own and a client that pushes gradients of the blocks and gets their weights back.
#ifndef CONVOY_TESTS_BENCHMARKS_PUSH_PULL_H_
#define CONVOY_TESTS_BENCHMARKS_PUSH_PULL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace convoy::benchmarks {

struct Tensor {
  int64_t block_floats = 0;
  int64_t blocks = 0;
  int64_t window = 0;  // blocks in flight at most
  int workers = 1;
  bool whole = false;  // a step begins when all blocks of the one before are there

  int64_t bytes() const { return block_floats * blocks * 4; }
};

// Listens until it is destroyed.
class PushPullServer {
 public:
  virtual ~PushPullServer() = default;
  virtual std::string address() const = 0;  // host:port
};

// One thread. Any failure ends the process with a message: numbers of a broken run are worth
// nothing.
class PushPullClient {
 public:
  virtual ~PushPullClient() = default;
  // Pushes every block once, each as soon as its weights of the step before are there.
  virtual void Step() = 0;
  // Waits for all weights.
  virtual void Wait() = 0;
};

// A way to do it. Clients talk to all `addresses`; block b is on server b % addresses.size() unless
// the party places blocks itself.
struct Party {
  std::string name;
  std::function<std::unique_ptr<PushPullServer>(const Tensor&, int rank, int servers)> serve;
  std::function<std::unique_ptr<PushPullClient>(const Tensor&, int worker,
                                                const std::vector<std::string>& addresses)>
      connect;
};

// The product over TCP: ParameterClient, streams, marks, cells.
Party ProductParty();
Party CheckedProductParty();  // with cluster.wire_checksums
Party LocalProductParty();    // through a Unix socket
Party SharingProductParty();  // with shared memory, too, as processes of one host do by default
// gRPC alone, and sockets alone.
Party BareStreamParty();
Party PlainSocketParty();

// Blocks of server `rank` where block b is on server b % servers.
inline int64_t BlocksOf(const Tensor& tensor, int rank, int servers) {
  return (tensor.blocks - rank + servers - 1) / servers;
}

[[noreturn]] void Fail(const std::string& what);

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_PUSH_PULL_H_
