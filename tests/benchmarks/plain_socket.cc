#include "tests/benchmarks/plain_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

namespace convoy::benchmarks {
namespace {

constexpr int kSocketBuffer = 4 << 20;

OwnedFd NewSocket() {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // As large as the system lets it be.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof(kSocketBuffer));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof(kSocketBuffer));
  return fd;
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A header and a block on their way out.
class Outgoing {
 public:
  Outgoing(uint32_t block, const float* values, int64_t bytes)
      : header_{block, static_cast<uint32_t>(bytes)},
        pieces_{{&header_, sizeof(header_)},
                {const_cast<float*>(values), static_cast<size_t>(bytes)}} {}

  bool done() const { return pieces_[1].iov_len == 0; }
  // Sends as much as there is room for. False: none.
  bool Send(int fd, int flags) {
    const int first = pieces_[0].iov_len == 0 ? 1 : 0;
    msghdr message{};
    message.msg_iov = pieces_ + first;
    message.msg_iovlen = static_cast<size_t>(2 - first);
    const ssize_t sent = ::sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return false;
    if (sent < 0) Fail("the connection is broken");
    size_t left = static_cast<size_t>(sent);
    for (iovec& piece : pieces_) {
      const size_t take = std::min(left, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + take;
      piece.iov_len -= take;
      left -= take;
    }
    return true;
  }

 private:
  BlockHeader header_;
  iovec pieces_[2];
};

bool ReceiveAll(int fd, void* to, size_t bytes) {
  return ::recv(fd, to, bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes);
}

}  // namespace

PlainSocketServer::PlainSocketServer(const Tensor& tensor)
    : weights_(tensor), listener_(NewSocket()) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), 1) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Fail("cannot listen");
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { Run(); });
}

PlainSocketServer::~PlainSocketServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

void PlainSocketServer::Run() {
  const OwnedFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.valid()) return;
  AlignedBuffer gradient(static_cast<size_t>(weights_.bytes() / 4));
  BlockHeader header;
  while (ReceiveAll(connection.get(), &header, sizeof(header)) &&
         ReceiveAll(connection.get(), gradient.data(), header.bytes)) {
    weights_.Begin(header.block);
    weights_.Update(reinterpret_cast<const char*>(gradient.data()), gradient.size(), 0);
    Outgoing reply(header.block, weights_.current(header.block), weights_.bytes());
    while (!reply.done()) reply.Send(connection.get(), 0);
  }
}

PlainSocketClient::PlainSocketClient(const Tensor& tensor, const std::string& address)
    : tensor_(tensor),
      socket_(NewSocket()),
      gradient_(static_cast<size_t>(tensor.block_floats * tensor.blocks)),
      weights_(static_cast<size_t>(tensor.block_floats * tensor.blocks)),
      pending_(static_cast<size_t>(tensor.blocks)) {
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  const sockaddr_in peer = Loopback(static_cast<uint16_t>(port));
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) != 0)
    Fail("cannot connect");
}

void PlainSocketClient::Step() {
  for (int64_t block = 0; block < tensor_.blocks; ++block) {
    while (pending_[static_cast<size_t>(block)] || in_flight_ == tensor_.window) Advance(false);
    Push(block);
  }
}

void PlainSocketClient::Wait() {
  while (in_flight_ > 0) Advance(false);
}

void PlainSocketClient::Push(int64_t block) {
  pending_[static_cast<size_t>(block)] = true;
  ++in_flight_;
  Outgoing message(static_cast<uint32_t>(block), gradient_.data() + block * tensor_.block_floats,
                   tensor_.block_floats * 4);
  while (!message.done()) {
    if (!message.Send(socket_.get(), MSG_DONTWAIT)) Advance(true);
  }
}

void PlainSocketClient::Advance(bool writing) {
  pollfd poll{socket_.get(), static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
  if (::poll(&poll, 1, -1) < 0) Fail("poll");
  if ((poll.revents & POLLIN) == 0) return;
  const auto block_bytes = static_cast<size_t>(tensor_.block_floats) * 4;
  char* to = reinterpret_cast<char*>(&header_) + received_;
  size_t want = sizeof(header_) - received_;
  if (received_ >= sizeof(header_)) {
    to = reinterpret_cast<char*>(weights_.data()) + header_.block * block_bytes +
         (received_ - sizeof(header_));
    want = sizeof(header_) + block_bytes - received_;
  }
  const ssize_t got = ::recv(socket_.get(), to, want, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) Fail("the connection is broken");
  received_ += static_cast<size_t>(got);
  if (received_ < sizeof(header_) + block_bytes) return;
  received_ = 0;
  pending_[header_.block] = false;
  --in_flight_;
}

Party PlainSocketParty() {
  return {
      "plain socket",
      [](const Tensor& tensor, int, int) { return std::make_unique<PlainSocketServer>(tensor); },
      [](const Tensor& tensor, int, const std::vector<std::string>& addresses) {
        return std::make_unique<PlainSocketClient>(tensor, addresses[0]);
      }};
}

}  // namespace convoy::benchmarks
