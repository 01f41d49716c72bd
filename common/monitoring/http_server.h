// A small HTTP server for people and monitoring: pages that are made when they are asked for.
// Read-only: GET and HEAD.
#ifndef CONVOY_COMMON_MONITORING_HTTP_SERVER_H_
#define CONVOY_COMMON_MONITORING_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace convoy {

struct HttpPage {
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// Thread-safe. Its threads sleep while nobody asks.
class HttpServer {
 public:
  // `query`: what follows '?' in the address, as it was sent. Called from several threads.
  using Handler = std::function<HttpPage(const std::string& query)>;
  struct Options {
    std::string address = "127.0.0.1";     // IP address to listen on
    uint32_t port = 0;                     // 0: any
    std::map<std::string, Handler> pages;  // by path: "/metrics"
  };

  // Unavailable: the port is in use, or the address is not one of this machine; says which.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);
  // Waits for pages that are being made.
  ~HttpServer();

  // "127.0.0.1:9400".
  const std::string& address() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_HTTP_SERVER_H_
