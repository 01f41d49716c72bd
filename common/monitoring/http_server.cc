#include "common/monitoring/http_server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/files/owned_fd.h"
#include "common/monitoring/listen_check.h"

namespace convoy {
namespace {

constexpr char kThreads[] = "2";
constexpr char kTimeoutMs[] = "5000";  // for a client that says nothing

void Respond(mg_connection* connection, const char* status, const HttpPage& page, bool head_only) {
  // Pages are of the moment; nobody's browser may read them from another site.
  const std::string header =
      absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Type: ", page.type,
                   "\r\nContent-Length: ", page.body.size(),
                   "\r\nCache-Control: no-store\r\nX-Content-Type-Options: "
                   "nosniff\r\nX-Frame-Options: DENY\r\nConnection: close\r\n\r\n");
  mg_write(connection, header.data(), header.size());
  if (!head_only) mg_write(connection, page.body.data(), page.body.size());
}

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}
  ~Impl() {
    if (context_ == nullptr) return;
    // The thread that listens looks up every two seconds only, unless somebody comes.
    std::atomic<bool> stopped = false;
    std::thread visitor([this, &stopped] {
      for (; !stopped; absl::SleepFor(absl::Milliseconds(2))) Visit();
    });
    mg_stop(context_);
    stopped = true;
    visitor.join();
  }

  absl::Status Listen() {
    const std::string wanted = absl::StrCat(options_.address, ":", options_.port);
    const char* const settings[] = {"listening_ports",
                                    wanted.c_str(),
                                    "num_threads",
                                    kThreads,
                                    "request_timeout_ms",
                                    kTimeoutMs,
                                    "enable_directory_listing",
                                    "no",
                                    nullptr};
    mg_callbacks callbacks = {};
    callbacks.begin_request = &Impl::Answer;
    callbacks.log_message = [](const mg_connection*, const char*) {
      return 1;
    };  // the error says it
    mg_init_data init = {};
    init.callbacks = &callbacks;
    init.user_data = this;
    init.configuration_options = const_cast<const char**>(settings);
    char text[256] = "";
    unsigned code = 0;
    mg_error_data error = {&code, text, sizeof(text)};
    context_ = mg_start2(&init, &error);
    mg_server_port port = {};
    if (context_ == nullptr || mg_get_server_ports(context_, 1, &port) != 1) {
      return absl::UnavailableError(
          absl::StrCat("can't listen on ", wanted,
                       ": is the port in use, and the address one of this machine?"));
    }
    address_ = absl::StrCat(options_.address, ":", static_cast<uint32_t>(port.port));
    port_ = static_cast<uint16_t>(port.port);
    return absl::OkStatus();
  }

  const std::string& address() const { return address_; }

 private:
  // Connects, and goes away again.
  void Visit() const {
    const std::optional<sockaddr_in> own = Ipv4Address(options_.address, port_);
    if (!own) return;
    const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return;
    ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*own), sizeof(*own));
  }

  static int Answer(mg_connection* connection) {
    const mg_request_info* const request = mg_get_request_info(connection);
    const auto* const self = static_cast<const Impl*>(request->user_data);
    const std::string_view method = request->request_method;
    const bool head = method == "HEAD";
    if (method != "GET" && !head) {
      Respond(connection, "405 Method Not Allowed", {.body = "only GET and HEAD\n"}, false);
      return 405;
    }
    const auto page = self->options_.pages.find(request->local_uri);
    if (page == self->options_.pages.end()) {
      Respond(connection, "404 Not Found", {.body = "there is no such page\n"}, head);
      return 404;
    }
    Respond(connection, "200 OK",
            page->second(request->query_string == nullptr ? "" : request->query_string), head);
    return 200;
  }

  const Options options_;
  std::string address_;
  uint16_t port_ = 0;
  mg_context* context_ = nullptr;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (absl::Status status = impl->Listen(); !status.ok()) return status;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
const std::string& HttpServer::address() const { return impl_->address(); }

}  // namespace convoy
