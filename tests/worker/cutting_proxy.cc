#include "tests/worker/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace convoy::testing {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool WriteAll(int to, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(to, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& target, std::vector<size_t> bytes)
    : target_port_(static_cast<uint16_t>(std::atoi(target.substr(target.rfind(':') + 1).c_str()))),
      bytes_(std::move(bytes)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::pipe(stop_) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(listener_);
}

std::string CuttingProxy::address() const { return "127.0.0.1:" + std::to_string(port_); }

void CuttingProxy::Run() {
  for (size_t connection = 0;; ++connection) {
    pollfd waits[] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 || waits[1].revents != 0) return;
    const int client = ::accept(listener_, nullptr, nullptr);
    const bool cut = connection < bytes_.size();
    Serve(client, cut ? bytes_[connection] : std::numeric_limits<size_t>::max());
    cuts_ += cut;
    ::close(client);
  }
}

void CuttingProxy::Serve(int client, size_t limit) {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(target_port_);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    limit = 0;
  std::vector<char> buffer(16384);
  while (limit > 0) {
    pollfd waits[] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    if (::poll(waits, 3, -1) < 0 || waits[2].revents != 0) break;
    const bool from_client = waits[0].revents != 0;
    const size_t most = from_client ? std::min(limit, buffer.size()) : buffer.size();
    const ssize_t got = ::recv(from_client ? client : server, buffer.data(), most, 0);
    if (got <= 0 ||
        !WriteAll(from_client ? server : client, buffer.data(), static_cast<size_t>(got)))
      break;
    if (from_client) limit -= static_cast<size_t>(got);
  }
  ::close(server);
}

}  // namespace convoy::testing
