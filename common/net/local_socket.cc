#include "common/net/local_socket.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

// Bytes that are on their way in one direction, at most: several blocks of 256 KB. The kernel makes
// it less if net.core.wmem_max is (by default 208 KB, of which it makes 416); with its own default
// for Unix sockets they are slower than TCP.
constexpr int kSendBuffer = 1 << 20;
constexpr int kBacklog = 1024;  // as many as there may be workers

struct AbstractName {
  sockaddr_un address{};
  socklen_t size = 0;
};

// nullopt: too long.
std::optional<AbstractName> NameOf(const std::string& address) {
  const std::string text = absl::StrCat("convoy ", address);
  AbstractName name;
  if (text.size() >= sizeof(name.address.sun_path)) return std::nullopt;
  name.address.sun_family = AF_UNIX;
  // The abstract namespace: a zero byte, then the name without one at its end.
  std::memcpy(name.address.sun_path + 1, text.data(), text.size());
  name.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return name;
}

const sockaddr* AsSockaddr(const AbstractName& name) {
  return reinterpret_cast<const sockaddr*>(&name.address);
}

void EnlargeSendBuffer(const OwnedFd& socket) {
  // One that stays small works, too.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer));
}

bool IsOfUser(const OwnedFd& socket, uid_t user) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == user;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalListener>> LocalListener::Start(const std::string& address,
                                                                    OnConnection on_connection) {
  const auto error = [&address](absl::string_view why) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on a Unix socket for ", address, ": ", why));
  };
  const std::optional<AbstractName> name = NameOf(address);
  if (!name) return error("its name is too long");
  OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() || ::bind(socket.get(), AsSockaddr(*name), name->size) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return error(std::strerror(errno));
  }
  return std::unique_ptr<LocalListener>(
      new LocalListener(std::move(socket), std::move(on_connection)));
}

LocalListener::LocalListener(OwnedFd socket, OnConnection on_connection)
    : user_(::geteuid()),
      socket_(std::move(socket)),
      on_connection_(std::move(on_connection)),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "local-accept");
}

LocalListener::~LocalListener() {
  stopping_ = true;
  ::shutdown(socket_.get(), SHUT_RDWR);
  thread_.join();
}

void LocalListener::Run() {
  while (!stopping_) {
    OwnedFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.valid()) {
      if (!IsOfUser(connection, user_)) continue;
      EnlargeSendBuffer(connection);
      on_connection_(std::move(connection));
    } else if (!stopping_ && errno != EINTR && errno != ECONNABORTED) {
      // No descriptors or no memory: those that wait are taken when there are.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

OwnedFd ConnectLocally(const std::string& address) {
  const std::optional<AbstractName> name = NameOf(address);
  if (!name) return OwnedFd();
  OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() || ::connect(socket.get(), AsSockaddr(*name), name->size) != 0 ||
      !IsOfUser(socket, ::geteuid())) {
    return OwnedFd();
  }
  EnlargeSendBuffer(socket);
  return socket;
}

}  // namespace convoy
