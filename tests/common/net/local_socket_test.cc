// Unix sockets that are found by the TCP address of their listener.
#include "common/net/local_socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <deque>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/mutex.h"
#include "common/net/grpc_process.h"
#include "common/net/stream_client.h"
#include "common/net/stream_server.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

// All tests of this program, as all processes of the product.
[[maybe_unused]] const bool kPolls = (ConfigureGrpc(), true);

// Keeps the sockets that a listener hands on, and what came with the last one.
class Connections {
 public:
  LocalListener::OnConnection Keep() {
    return [this](OwnedFd socket, OwnedFd memory) {
      MutexLock lock(mutex_);
      sockets_.push_back(std::move(socket));
      memory_ = std::move(memory);
      changed_.NotifyAll();
    };
  }
  OwnedFd TakeMemory() {
    MutexLock lock(mutex_);
    return std::move(memory_);
  }
  OwnedFd Take() {
    MutexLock lock(mutex_);
    for (int i = 0; sockets_.empty() && i < 30; ++i) changed_.WaitFor(mutex_, absl::Seconds(1));
    if (sockets_.empty()) return OwnedFd();  // nothing for 30 s
    OwnedFd socket = std::move(sockets_.front());
    sockets_.pop_front();
    return socket;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<OwnedFd> sockets_ CONVOY_GUARDED_BY(mutex_);
  OwnedFd memory_ CONVOY_GUARDED_BY(mutex_);
};

// No port of a test that runs at the same time.
std::string Address(int number) { return absl::StrCat("127.0.0.1:", getpid(), "-", number); }

// Without a look at whose it is.
bool ConnectTo(const std::string& tcp_address, const OwnedFd& socket) {
  const std::string name = absl::StrCat("convoy ", tcp_address);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

// As a client of a stream does.
OwnedFd Connect(const std::string& address, const OwnedFd& memory = OwnedFd()) {
  OwnedFd socket = ConnectLocally(address);
  if (!socket.valid()) return socket;
  EXPECT_TRUE(SayHello(socket, memory));
  return socket;
}

int SendBuffer(const OwnedFd& socket) {
  int bytes = 0;
  socklen_t size = sizeof(bytes);
  EXPECT_EQ(::getsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
  return bytes;
}

TEST(LocalSocketTest, ASocketConnectsThoseWhoNameTheSameAddress) {
  Connections connections;
  const auto listener = LocalListener::Start(Address(1), connections.Keep());
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_FALSE(Connect(Address(2)).valid());
  for (const char* text : {"first", "other"}) {
    const OwnedFd client = Connect(Address(1));
    ASSERT_TRUE(client.valid());
    const OwnedFd server = connections.Take();
    char read[5];
    ASSERT_EQ(::write(client.get(), text, 5), 5);
    ASSERT_EQ(::read(server.get(), read, 5), 5);
    EXPECT_EQ(std::string(read, 5), text);
    for (const OwnedFd* end : {&client, &server}) {
      EXPECT_EQ(::fcntl(end->get(), F_GETFD), FD_CLOEXEC) << "children must not keep it open";
    }
  }
}

TEST(LocalSocketTest, MemoryGoesWithASocket) {
  Connections connections;
  const auto listener = *LocalListener::Start(Address(1), connections.Keep());
  OwnedFd sent(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(::write(sent.get(), "text", 4), 4);
  const OwnedFd client = Connect(Address(1), sent);
  sent.Close();
  const OwnedFd server = connections.Take(), received = connections.TakeMemory();
  char text[4];
  ASSERT_EQ(::pread(received.get(), text, 4, 0), 4);
  EXPECT_EQ(std::string(text, 4), "text");
  EXPECT_EQ(::fcntl(received.get(), F_GETFD), FD_CLOEXEC) << "children must not keep it open";
  // Nothing else has come before the client's own bytes.
  ASSERT_EQ(::write(client.get(), "first", 5), 5);
  char first[5];
  ASSERT_EQ(::read(server.get(), first, 5), 5);
  EXPECT_EQ(std::string(first, 5), "first");

  const OwnedFd other = Connect(Address(1));
  EXPECT_TRUE(connections.Take().valid());
  EXPECT_FALSE(connections.TakeMemory().valid());
}

// A listener keeps none of the descriptors of one that sends more than one.
TEST(LocalSocketTest, WhoSendsSeveralDescriptorsIsNotTaken) {
  Connections connections;
  const auto listener = *LocalListener::Start(Address(1), connections.Keep());
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open_files();
  for (int i = 0; i < 5; ++i) {
    const OwnedFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_TRUE(ConnectTo(Address(1), socket));
    char byte = 'c';
    iovec bytes{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(2 * sizeof(int));
    const int fds[] = {0, 0};
    std::memcpy(CMSG_DATA(header), fds, sizeof(fds));
    ASSERT_EQ(::sendmsg(socket.get(), &message, 0), 1);
    EXPECT_LE(::read(socket.get(), &byte, 1), 0) << "it is closed";
  }
  EXPECT_EQ(open_files(), before);
}

// One that is of another protocol, and one that was stopped as soon as it had connected.
TEST(LocalSocketTest, WhoDoesNotBeginAsAClientIsNotTaken) {
  Connections connections;
  const auto listener = *LocalListener::Start(Address(1), connections.Keep());
  OwnedFd others[3];
  for (OwnedFd& other : others) other = OwnedFd(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_TRUE(ConnectTo(Address(1), others[0]));
  ASSERT_EQ(::write(others[0].get(), "GET / HTTP/1.1", 14), 14);
  ASSERT_TRUE(ConnectTo(Address(1), others[1]));
  ASSERT_TRUE(ConnectTo(Address(1), others[2]));
  ASSERT_EQ(::shutdown(others[2].get(), SHUT_WR), 0);
  const absl::Time begin = absl::Now();
  const OwnedFd client = Connect(Address(1));
  const OwnedFd server = connections.Take();
  ASSERT_TRUE(server.valid());
  char byte;
  EXPECT_EQ(::recv(others[1].get(), &byte, 1, MSG_DONTWAIT), -1) << "it still may say what it is";
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5)) << "those before it are not waited for";
  for (const OwnedFd& other : others) EXPECT_LE(::read(other.get(), &byte, 1), 0) << "it is closed";
  ASSERT_EQ(::write(client.get(), "mine", 4), 4);
  char read[4];
  ASSERT_EQ(::read(server.get(), read, 4), 4);
  EXPECT_EQ(std::string(read, 4), "mine");
}

// With the kernel's own limit it is slower than TCP.
TEST(LocalSocketTest, BothEndsHaveALargerBufferThanUsual) {
  Connections connections;
  const auto listener = *LocalListener::Start(Address(1), connections.Keep());
  const OwnedFd client = Connect(Address(1)), server = connections.Take();
  const int usual = SendBuffer(OwnedFd(::socket(AF_UNIX, SOCK_STREAM, 0)));
  EXPECT_GT(SendBuffer(client), usual);
  EXPECT_GT(SendBuffer(server), usual);
}

TEST(LocalSocketTest, ANameIsTakenWhileItsListenerIsThere) {
  Connections connections;
  auto first = LocalListener::Start(Address(1), connections.Keep());
  ASSERT_TRUE(first.ok());
  const absl::Status second = LocalListener::Start(Address(1), connections.Keep()).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.message()),
              HasSubstr(absl::StrCat("cannot listen on a Unix socket for ", Address(1))));
  first->reset();
  EXPECT_FALSE(Connect(Address(1)).valid());
  EXPECT_TRUE(LocalListener::Start(Address(1), connections.Keep()).ok());
}

TEST(LocalSocketTest, AnAddressThatIsTooLongForANameHasNone) {
  Connections connections;
  const std::string address(200, 'a');
  EXPECT_FALSE(LocalListener::Start(address, connections.Keep()).ok());
  EXPECT_FALSE(Connect(address).valid());
}

// Who could take a name before its process does, and read what is sent there.
TEST(LocalSocketTest, AProcessOfAnotherUserIsNotConnectedTo) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  constexpr uid_t kNobody = 65534;
  Connections connections;
  if (seteuid(kNobody) != 0) GTEST_SKIP() << "there is no other user";
  auto listener = LocalListener::Start(Address(1), connections.Keep());
  EXPECT_TRUE(Connect(Address(1)).valid()) << "its own user";
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_TRUE(listener.ok());
  EXPECT_FALSE(Connect(Address(1)).valid());
}

// The other way round: one that does not look whose it is.
TEST(LocalSocketTest, AProcessOfAnotherUserIsNotTaken) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  constexpr uid_t kNobody = 65534;
  Connections connections;
  const auto listener = *LocalListener::Start(Address(1), connections.Keep());
  if (seteuid(kNobody) != 0) GTEST_SKIP() << "there is no other user";
  const OwnedFd other(::socket(AF_UNIX, SOCK_STREAM, 0));
  const bool connected = ConnectTo(Address(1), other);
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_TRUE(connected);
  char byte;
  EXPECT_EQ(::read(other.get(), &byte, 1), 0) << "it is closed";
  EXPECT_TRUE(Connect(Address(1)).valid());
  EXPECT_TRUE(connections.Take().valid());
}

// It can't take who waits, for want of descriptors, and asks again and again.
TEST(LocalSocketTest, AListenerWithoutDescriptorsEndsAllTheSame) {
  Connections connections;
  auto listener = LocalListener::Start(Address(1), connections.Keep());
  ASSERT_TRUE(listener.ok());
  OwnedFd clients[3];
  for (OwnedFd& client : clients) {
    client = OwnedFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ASSERT_TRUE(client.valid());
  }
  ASSERT_TRUE(ConnectTo(Address(1), clients[0]));
  ASSERT_EQ(::write(clients[0].get(), "P", 1), 1) << "as clients of gRPC begin";
  ASSERT_TRUE(connections.Take().valid());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  // One that was in accept already has its descriptor; the other waits.
  const bool connected = ConnectTo(Address(1), clients[1]) && ConnectTo(Address(1), clients[2]);
  absl::SleepFor(absl::Milliseconds(20));
  listener->reset();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(connected);
  EXPECT_FALSE(Connect(Address(1)).valid());
}

class Silent final : public StreamServer::Handler {
 public:
  void OnMessage(StreamId, Payload) override {}
  void OnClosed(StreamId) override {}
  void OnTick() override {}
};

// A stream goes through the Unix socket where there is one: to a listener that is not gRPC's it
// can't be opened, though the server at the same TCP address would take it.
TEST(LocalSocketTest, AStreamPrefersTheUnixSocket) {
  Silent handler;
  StreamServer::Options options;
  options.method = "/convoy.test.Silent/Exchange";
  options.handler = &handler;
  const auto server = *StreamServer::Start(options);
  Connections connections;
  auto listener = LocalListener::Start(server->address(), connections.Keep());
  ASSERT_TRUE(listener.ok());
  EXPECT_EQ(server->ListenLocally(false).code(), absl::StatusCode::kUnavailable)
      << "the name is taken";
  StreamClient client(options.method);
  client.Open(0, server->address());
  connections.Take().Close();
  StreamClient::Event event;
  ASSERT_TRUE(client.Poll(absl::Now() + absl::Seconds(30), &event));
  ASSERT_EQ(event.kind, StreamClient::Event::Kind::kClosed);
  EXPECT_EQ(event.status.code(), absl::StatusCode::kUnavailable);
  // With the listener gone the same address is reached by TCP.
  listener->reset();
  client.Open(0, server->address());
  ASSERT_TRUE(client.Poll(absl::Now() + absl::Seconds(30), &event));
  EXPECT_EQ(event.kind, StreamClient::Event::Kind::kOpened) << event.status;
}

// Its connection is made at once, as the kernel does that for a server that stands still, too.
TEST(LocalSocketTest, AStreamThatNobodyAcceptsIsGivenUp) {
  Connections connections;
  const auto listener = *LocalListener::Start(Address(1), connections.Keep());
  StreamClient client("/convoy.test.Silent/Exchange");
  client.Open(0, Address(1));
  WireMessage message;
  message.header() = "hello";
  message.Finish();
  client.Send(0, message);
  const OwnedFd server = connections.Take();
  ASSERT_TRUE(server.valid());
  StreamClient::Event event;
  ASSERT_TRUE(client.Poll(absl::Now() + absl::Seconds(30), &event)) << "it waits for ever";
  EXPECT_EQ(event.kind, StreamClient::Event::Kind::kClosed);
  EXPECT_EQ(event.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(event.status.message()), HasSubstr("has not accepted the stream"));
}

// Does nothing until it is let go.
class Busy final : public StreamServer::Handler {
 public:
  void OnMessage(StreamId, Payload) override {}
  void OnClosed(StreamId) override {}
  void OnTick() override {
    busy = true;
    while (!free) absl::SleepFor(absl::Milliseconds(1));
  }
  std::atomic<bool> busy{false}, free{false};
};

// A worker that computes for long sees late that its stream was accepted in time.
TEST(LocalSocketTest, AStreamThatWasAcceptedIsNotGivenUpBecauseNobodyLooked) {
  Busy handler;
  StreamServer::Options options;
  options.method = "/convoy.test.Busy/Exchange";
  options.handler = &handler;
  options.tick = absl::Milliseconds(1);
  const auto server = *StreamServer::Start(options);
  ASSERT_TRUE(server->ListenLocally(false).ok());
  while (!handler.busy) absl::SleepFor(absl::Milliseconds(1));
  StreamClient client(options.method);
  client.Open(0, server->address());
  StreamClient::Event event;
  EXPECT_FALSE(client.Poll(absl::Now() + absl::Milliseconds(100), &event)) << "its beginning left";
  handler.free = true;
  absl::SleepFor(absl::Seconds(6));
  ASSERT_TRUE(client.Poll(absl::Now() + absl::Seconds(30), &event));
  EXPECT_EQ(event.kind, StreamClient::Event::Kind::kOpened) << event.status;
}

}  // namespace
}  // namespace convoy
