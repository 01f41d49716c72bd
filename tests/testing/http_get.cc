#include "tests/testing/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace convoy::testing {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// -1: it is taken.
int BoundSocket(uint16_t port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return made;
  close(made);
  return -1;
}

}  // namespace

HttpReply HttpGet(uint16_t port, const std::string& path, const std::string& method) {
  HttpReply reply;
  const int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(stream, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    std::string text;
    if (write(stream, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
      char buffer[4096];
      for (ssize_t count; (count = read(stream, buffer, sizeof(buffer))) > 0;)
        text.append(buffer, static_cast<size_t>(count));
    }
    const size_t end = std::min(text.find("\r\n\r\n"), text.size());
    reply.header = text.substr(0, end);
    if (end + 4 <= text.size()) reply.body = text.substr(end + 4);
    if (text.size() > 12) reply.status = std::atoi(text.c_str() + 9);
  }
  close(stream);
  return reply;
}

uint16_t FreePorts(uint16_t count) {
  // Below those that the system gives to others.
  for (uint32_t base = 20000 + static_cast<uint32_t>(getpid()) % 8000; base + count < 32000;
       base += count) {
    std::vector<int> sockets;
    for (uint32_t port = base; port < base + count; ++port)
      sockets.push_back(BoundSocket(static_cast<uint16_t>(port)));
    const bool all = std::ranges::find(sockets, -1) == sockets.end();
    for (const int made : sockets) close(made);
    if (all) return static_cast<uint16_t>(base);
  }
  return 0;
}

TakenPort::TakenPort() : socket_(BoundSocket(0)) {
  listen(socket_, 1);
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

TakenPort::~TakenPort() { close(socket_); }

}  // namespace convoy::testing
