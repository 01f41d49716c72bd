#include "common/monitoring/listen_check.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/files/owned_fd.h"

namespace convoy {

std::optional<sockaddr_in> Ipv4Address(const std::string& address, uint32_t port) {
  sockaddr_in result = {};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1) return std::nullopt;
  return result;
}

absl::Status CheckCanListen(const std::string& address, uint32_t port) {
  const std::optional<sockaddr_in> where = Ipv4Address(address, port);
  if (!where) {
    return absl::InvalidArgumentError(
        absl::StrCat("got \"", address, "\", want an IPv4 address such as 127.0.0.1"));
  }
  const std::string text = absl::StrCat(address, ":", port);
  const OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return ErrnoError("cannot make a socket for", text);
  // As the server does it: connections of an earlier job that have ended are no obstacle.
  const int yes = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&*where), sizeof(*where)) == 0) {
    return absl::OkStatus();
  }
  if (errno == EADDRINUSE) return absl::UnavailableError("the port is in use");
  return ErrnoError("cannot listen on", text);
}

}  // namespace convoy
