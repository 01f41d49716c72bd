#include "common/net/local_socket.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"

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

// The first byte of SayHello, with which a descriptor may come. Other clients of gRPC begin with
// kPreface.
constexpr char kHello = 'c';
constexpr char kPreface = 'P';  // of HTTP/2
// In which either has to come; it is sent at once.
constexpr absl::Duration kTimeForHello = absl::Seconds(5);

// A message of one byte, with room for a descriptor; the system may put in two.
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

// Takes a hello that is there. False: with more than one descriptor.
bool TakeHello(const OwnedFd& socket, OwnedFd* memory) {
  Hello hello;
  if (::recvmsg(socket.get(), &hello.message, MSG_CMSG_CLOEXEC) != 1) return false;
  std::vector<OwnedFd> received;
  for (cmsghdr* header = CMSG_FIRSTHDR(&hello.message); header != nullptr;
       header = CMSG_NXTHDR(&hello.message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
      int fd;
      std::memcpy(&fd, reinterpret_cast<const char*>(header) + at, sizeof(fd));
      received.emplace_back(fd);
    }
  }
  if (received.size() > 1) return false;
  if (!received.empty()) *memory = std::move(received.front());
  return true;
}

// Whether it is a client's, by what has come. `memory`: what came with it.
bool IsClient(const OwnedFd& socket, OwnedFd* memory) {
  char first;
  if (::recv(socket.get(), &first, 1, MSG_PEEK) != 1) return false;
  return first == kHello ? TakeHello(socket, memory) : first == kPreface;
}

// No descriptors or no memory: those that wait are taken when there are.
void Pause() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

}  // namespace

absl::StatusOr<std::unique_ptr<LocalListener>> LocalListener::Start(const std::string& address,
                                                                    OnConnection on_connection) {
  const auto error = [&address](absl::string_view why) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on a Unix socket for ", address, ": ", why));
  };
  const std::optional<AbstractName> name = NameOf(address);
  if (!name) return error("its name is too long");
  OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
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
    std::vector<pollfd> waiting = {{socket_.get(), POLLIN, 0}};
    absl::Time next = absl::InfiniteFuture();
    for (const Silent& silent : silent_) {
      waiting.push_back({silent.socket.get(), POLLIN, 0});
      next = std::min(next, silent.until);
    }
    const absl::Duration time = std::max(next - SteadyNow(), absl::ZeroDuration());
    const int milliseconds =
        silent_.empty() ? -1 : static_cast<int>(absl::ToInt64Milliseconds(time)) + 1;
    if (::poll(waiting.data(), waiting.size(), milliseconds) < 0) {
      if (errno != EINTR) Pause();
      continue;
    }
    if (waiting[0].revents != 0) Accept();
    HandOn();
  }
}

void LocalListener::Accept() {
  OwnedFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection.valid()) {
    if (!IsOfUser(connection, user_)) return;
    EnlargeSendBuffer(connection);
    silent_.push_back({std::move(connection), SteadyNow() + kTimeForHello});
  } else if (!stopping_ && errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
    Pause();
  }
}

void LocalListener::HandOn() {
  for (Silent& silent : std::exchange(silent_, {})) {
    pollfd ready{silent.socket.get(), POLLIN, 0};
    OwnedFd memory;
    if (::poll(&ready, 1, 0) != 1) {
      if (SteadyNow() < silent.until) silent_.push_back(std::move(silent));
    } else if (IsClient(silent.socket, &memory)) {
      on_connection_(std::move(silent.socket), std::move(memory));
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

bool SayHello(const OwnedFd& socket, const OwnedFd& memory) {
  Hello hello;
  if (memory.valid()) {
    cmsghdr* header = CMSG_FIRSTHDR(&hello.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = memory.get();
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    if (::sendmsg(socket.get(), &hello.message, MSG_NOSIGNAL) == 1) return true;
  }
  // Without a descriptor, of which too many may be under way.
  hello.message.msg_controllen = 0;
  return ::sendmsg(socket.get(), &hello.message, MSG_NOSIGNAL) == 1;
}

}  // namespace convoy
