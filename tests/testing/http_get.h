// Asks an HTTP server on the loopback address, as any browser would.
#ifndef CONVOY_TESTS_TESTING_HTTP_GET_H_
#define CONVOY_TESTS_TESTING_HTTP_GET_H_

#include <cstdint>
#include <string>

namespace convoy::testing {

struct HttpReply {
  int status = 0;  // 0: nobody answered
  std::string header;
  std::string body;
};

HttpReply HttpGet(uint16_t port, const std::string& path, const std::string& method = "GET");

// `count` ports in a row that nobody listens on now; the first. Other programs may take them
// meanwhile.
uint16_t FreePorts(uint16_t count);

// Listens on a port of the loopback address while it lives.
class TakenPort {
 public:
  TakenPort();
  ~TakenPort();
  TakenPort(const TakenPort&) = delete;
  uint16_t port() const { return port_; }

 private:
  int socket_ = -1;
  uint16_t port_ = 0;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_HTTP_GET_H_
