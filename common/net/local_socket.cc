#include "common/net/local_socket.h"

#include <poll.h>
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

// The first byte on a socket of ConnectLocally, with which a descriptor may come; what follows is
// gRPC's. Other clients of gRPC begin with kPreface.
constexpr char kHello = 'c';
constexpr char kPreface = 'P';  // of HTTP/2
// In which either has to come; it is sent at once.
constexpr int kTimeForHelloMs = 1000;

// A message of one byte, with room for a descriptor.
struct Hello {
  char byte = kHello;
  iovec bytes{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};

  Hello() {
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
  }
  Hello(const Hello&) = delete;
  Hello& operator=(const Hello&) = delete;
};

bool SendHello(const OwnedFd& socket, const OwnedFd& memory) {
  Hello hello;
  if (memory.valid()) {
    cmsghdr* header = CMSG_FIRSTHDR(&hello.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = memory.get();
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  } else {
    hello.message.msg_controllen = 0;
  }
  return ::sendmsg(socket.get(), &hello.message, MSG_NOSIGNAL) == 1;
}

// False: nothing has come, or neither hello nor a client of gRPC.
bool ReceiveHello(const OwnedFd& socket, OwnedFd* memory) {
  pollfd ready{socket.get(), POLLIN, 0};
  char first;
  if (::poll(&ready, 1, kTimeForHelloMs) != 1) return false;
  if (::recv(socket.get(), &first, 1, MSG_PEEK) != 1) return false;
  if (first != kHello) return first == kPreface;
  Hello hello;
  if (::recvmsg(socket.get(), &hello.message, MSG_CMSG_CLOEXEC) != 1) return false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&hello.message); header != nullptr;
       header = CMSG_NXTHDR(&hello.message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int fd;
    std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    *memory = OwnedFd(fd);
  }
  return true;
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
      OwnedFd memory;
      if (!IsOfUser(connection, user_) || !ReceiveHello(connection, &memory)) continue;
      EnlargeSendBuffer(connection);
      on_connection_(std::move(connection), std::move(memory));
    } else if (!stopping_ && errno != EINTR && errno != ECONNABORTED) {
      // No descriptors or no memory: those that wait are taken when there are.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

OwnedFd ConnectLocally(const std::string& address, const OwnedFd& memory) {
  const std::optional<AbstractName> name = NameOf(address);
  if (!name) return OwnedFd();
  OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() || ::connect(socket.get(), AsSockaddr(*name), name->size) != 0 ||
      !IsOfUser(socket, ::geteuid()) || !SendHello(socket, memory)) {
    return OwnedFd();
  }
  EnlargeSendBuffer(socket);
  return socket;
}

}  // namespace convoy
