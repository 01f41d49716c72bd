// Passes TCP connections on to a server, and cuts them after so many bytes: what a worker sees when
// the network fails while the server's state stays.
#ifndef CONVOY_TESTS_WORKER_CUTTING_PROXY_H_
#define CONVOY_TESTS_WORKER_CUTTING_PROXY_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace convoy::testing {

class CuttingProxy {
 public:
  // `target`: 127.0.0.1:port. Connection i is cut after `bytes[i]` bytes from the client; later
  // ones stay.
  CuttingProxy(const std::string& target, std::vector<size_t> bytes);
  ~CuttingProxy();
  std::string address() const;
  uint32_t cuts() const { return cuts_; }

 private:
  void Run();
  // Until one side closes, the limit is reached or the proxy is stopped.
  void Serve(int client, size_t limit);

  const uint16_t target_port_;
  const std::vector<size_t> bytes_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // a pipe: closing its end wakes the thread
  uint16_t port_ = 0;
  std::atomic<uint32_t> cuts_{0};
  std::thread thread_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_CUTTING_PROXY_H_
