// StreamServer and StreamClient on loopback, on a Unix socket, and with shared memory beside it.
#include <gtest/gtest.h>

#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "absl/time/clock.h"
#include "common/mutex.h"
#include "common/net/local_socket.h"
#include "common/net/stream_client.h"
#include "common/net/stream_server.h"

namespace convoy {
namespace {

using Kind = StreamClient::Event::Kind;
constexpr char kMethod[] = "/convoy.test.Echo/Exchange";

// All but its first byte are values.
WireMessage Message(const std::string& text) {
  WireMessage message;
  message.header() = text.substr(0, 1);
  if (text.size() > 1) {
    const auto values = std::make_shared<const std::string>(text.substr(1));
    Payload payload(values);
    payload.Append({values->data(), values->size()});
    message.AddPayload(payload);
  }
  message.Finish();
  return message;
}

std::string TextOf(const Payload& payload) {
  std::string text(payload.size(), '\0');
  payload.CopyTo(text.data());
  return text;
}

// Sends everything back; "close" closes the stream, with an error.
class Echo : public StreamServer::Handler {
 public:
  void OnMessage(StreamId stream, Payload message) override {
    const std::string text = TextOf(message);
    {
      MutexLock lock(mutex_);
      open_.insert(stream);
      ++messages_;
    }
    if (text == "close") {
      server->Close(stream, absl::DataLossError("closed by Echo"));
    } else {
      server->Send(stream, Message(text));
    }
  }
  void OnClosed(StreamId stream) override {
    MutexLock lock(mutex_);
    closed_ += open_.erase(stream);
    changed_.NotifyAll();
  }
  void OnTick() override {
    MutexLock lock(mutex_);
    ++ticks_;
    changed_.NotifyAll();
  }
  void SendToAll(const std::string& text) {
    MutexLock lock(mutex_);
    for (const StreamId stream : open_) server->Send(stream, Message(text));
  }
  void WaitForClosed(size_t count) {
    MutexLock lock(mutex_);
    while (closed_ < count) changed_.Wait(mutex_);
  }
  size_t messages() {
    MutexLock lock(mutex_);
    return messages_;
  }
  void WaitForTicks(int count) {
    MutexLock lock(mutex_);
    while (ticks_ < count) changed_.Wait(mutex_);
  }

  StreamServer* server = nullptr;

 private:
  Mutex mutex_;
  CondVar changed_;
  std::set<StreamId> open_ CONVOY_GUARDED_BY(mutex_);
  size_t closed_ CONVOY_GUARDED_BY(mutex_) = 0;
  size_t messages_ CONVOY_GUARDED_BY(mutex_) = 0;
  int ticks_ CONVOY_GUARDED_BY(mutex_) = 0;
};

enum class Transport { kTcp, kUnixSocket, kSharedMemory };

class StreamTest : public ::testing::TestWithParam<Transport> {
 protected:
  StreamTest() {
    StreamServer::Options options;
    options.method = kMethod;
    options.handler = &echo_;
    options.threads = 2;
    options.tick = absl::Milliseconds(1);
    options.max_backlog_bytes = size_t{64} << 20;
    server_ = *StreamServer::Start(options);
    echo_.server = server_.get();
    if (GetParam() != Transport::kTcp) {
      const absl::Status listens = server_->ListenLocally(GetParam() == Transport::kSharedMemory);
      EXPECT_TRUE(listens.ok()) << listens;
      EXPECT_TRUE(ConnectLocally(server_->address()).valid()) << "clients would take TCP";
    }
  }
  static StreamClient::Event Next(StreamClient& client) {
    StreamClient::Event event;
    EXPECT_TRUE(client.Poll(absl::Now() + absl::Seconds(30), &event)) << "nothing for 30 s";
    return event;
  }

  Echo echo_;
  std::unique_ptr<StreamServer> server_;
};

TEST_P(StreamTest, MessagesOfAnySizeComeBackInOrder) {
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  std::vector<std::string> texts;
  for (size_t size : {1, 100000, 3, 5000000, 70, 1}) {
    texts.push_back(std::string(size, static_cast<char>('a' + texts.size())));
    client.Send(0, Message(texts.back()));  // also before the stream is open
  }
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  for (const std::string& text : texts) {
    const StreamClient::Event event = Next(client);
    ASSERT_EQ(event.kind, Kind::kMessage);
    EXPECT_TRUE(TextOf(event.message) == text) << text.size() << " bytes";
  }
  EXPECT_EQ(client.bytes_sent(), 5100075u);
  EXPECT_EQ(client.bytes_received(), 5100075u);
  EXPECT_EQ(server_->bytes_received(), 5100075u);
  EXPECT_EQ(server_->bytes_sent(), 5100075u);
}

// Small messages of a burst leave together, in either direction; the last ones of a burst must not
// wait for the next burst.
TEST_P(StreamTest, EveryMessageOfABurstIsAnsweredInOrderWithoutAnotherOneAfterIt) {
  StreamClient client(kMethod);
  for (int peer = 0; peer < 2; ++peer) {
    client.Open(peer, server_->address());
    EXPECT_EQ(Next(client).kind, Kind::kOpened);
  }
  constexpr uint64_t kSeed = 20261128;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int burst = 0; burst < 300; ++burst) {
    std::deque<std::string> awaited[2];
    const size_t messages = 1 + random() % 80;
    for (size_t i = 0; i < messages; ++i) {
      const int peer = static_cast<int>(random() % 2);
      const size_t size = 1 + random() % (random() % 8 == 0 ? 30000 : 3000);
      awaited[peer].push_back(std::string(size, static_cast<char>('a' + i % 26)));
      client.Send(peer, Message(awaited[peer].back()));
    }
    for (size_t i = 0; i < messages; ++i) {
      const StreamClient::Event event = Next(client);
      ASSERT_EQ(event.kind, Kind::kMessage) << "burst " << burst << ": " << event.status;
      ASSERT_FALSE(awaited[event.peer].empty());
      ASSERT_TRUE(TextOf(event.message) == awaited[event.peer].front()) << "burst " << burst;
      awaited[event.peer].pop_front();
    }
  }
}

// Who stops at an event and then computes looks until nothing is held back.
TEST_P(StreamTest, NothingIsHeldBackOnceThereIsNoEvent) {
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  size_t sent = 0, rounds_held_back = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 3; ++i, ++sent) client.Send(0, Message("small"));
    EXPECT_EQ(Next(client).kind, Kind::kMessage);
    client.Send(0, Message("one more"));
    ++sent;
    rounds_held_back += client.HoldsBack();
    StreamClient::Event event;
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (client.Poll(absl::InfinitePast(), &event) || client.HoldsBack()) {
      ASSERT_LT(absl::Now(), deadline) << "round " << round;
    }
    // What gRPC had not finished writing leaves in later calls.
    while (echo_.messages() < sent) {
      client.Poll(absl::Now() + absl::Milliseconds(1), &event);
      ASSERT_LT(absl::Now(), deadline) << "round " << round << ": some never leave";
    }
  }
  std::cout << rounds_held_back << " of 200 rounds held messages back\n";
}

// Who computes next leaves nothing behind.
TEST_P(StreamTest, PollUntilSentSendsEverything) {
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  size_t sent = 0, answered = 0;
  for (int round = 0; round < 200; ++round) {
    for (const size_t size : {5, 4000, 4000, 20000, 5}) {
      client.Send(0, Message(std::string(size, 'x')));
      ++sent;
    }
    StreamClient::Event event;
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (echo_.messages() < sent) {
      answered += client.PollUntilSent(&event);
      ASSERT_LT(absl::Now(), deadline) << "round " << round << ": some never leave";
    }
    for (; answered < sent; ++answered) ASSERT_EQ(Next(client).kind, Kind::kMessage);
  }
}

// ... and does not fetch what it does not need yet.
TEST_P(StreamTest, PollUntilSentFetchesNothingWhenNothingWaitsToLeave) {
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  client.Send(0, Message("hello"));
  EXPECT_EQ(TextOf(Next(client).message), "hello");
  StreamClient::Event event;
  EXPECT_FALSE(client.Poll(absl::Now() + absl::Milliseconds(50), &event));
  echo_.SendToAll("unasked");
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(client.PollUntilSent(&event));
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(TextOf(Next(client).message), "unasked");
}

TEST_P(StreamTest, SeveralStreamsAreKeptApart) {
  StreamClient client(kMethod);
  for (int peer = 0; peer < 8; ++peer) {
    client.Open(peer, server_->address());
    for (int i = 0; i < 20; ++i)
      client.Send(peer, Message(std::to_string(peer) + " " + std::to_string(i)));
  }
  std::map<int, int> next;
  for (int events = 0; events < 8 * 21; ++events) {
    const StreamClient::Event event = Next(client);
    if (event.kind != Kind::kMessage) continue;
    EXPECT_EQ(TextOf(event.message),
              std::to_string(event.peer) + " " + std::to_string(next[event.peer]++));
  }
  for (int peer = 0; peer < 8; ++peer) EXPECT_EQ(next[peer], 20);
}

TEST_P(StreamTest, AClosedStreamIsToldToBothAndCanBeOpenedAgain) {
  StreamClient client(kMethod);
  for (size_t round = 1; round <= 3; ++round) {
    client.Open(0, server_->address());
    EXPECT_EQ(Next(client).kind, Kind::kOpened);
    client.Send(0, Message(round == 2 ? "echo" : "close"));
    if (round == 2) {
      EXPECT_EQ(Next(client).kind, Kind::kMessage);
      client.Close(0);
    }
    const StreamClient::Event event = Next(client);
    EXPECT_EQ(event.kind, Kind::kClosed);
    EXPECT_EQ(event.status, round == 2 ? absl::CancelledError("CANCELLED")
                                       : absl::DataLossError("closed by Echo"));
    client.Send(0, Message("to nobody"));
    echo_.WaitForClosed(round);
  }
}

// A message must not be handled without the one before it.
TEST_P(StreamTest, NothingThatFollowsAClosedStreamsLastMessageIsHandled) {
  StreamClient client(kMethod);
  for (size_t round = 1; round <= 50; ++round) {
    client.Open(0, server_->address());
    EXPECT_EQ(Next(client).kind, Kind::kOpened);
    client.Send(0, Message("answered"));
    client.Send(0, Message("close"));
    for (int i = 0; i < 50; ++i) client.Send(0, Message("late"));
    const StreamClient::Event answer = Next(client);
    ASSERT_EQ(answer.kind, Kind::kMessage);
    EXPECT_EQ(TextOf(answer.message), "answered");
    const StreamClient::Event event = Next(client);
    ASSERT_EQ(event.kind, Kind::kClosed);
    EXPECT_EQ(event.status, absl::DataLossError("closed by Echo"));
    echo_.WaitForClosed(round);
    EXPECT_EQ(echo_.messages(), 2 * round);
  }
}

TEST_P(StreamTest, AMethodThatIsNotThereIsRefused) {
  StreamClient client("/convoy.test.Echo/Other");
  client.Open(0, server_->address());
  StreamClient::Event event = Next(client);
  if (event.kind == Kind::kOpened) event = Next(client);
  EXPECT_EQ(event.kind, Kind::kClosed);
  EXPECT_EQ(event.status.code(), absl::StatusCode::kUnimplemented);
}

TEST_P(StreamTest, AnAddressWithoutAServerIsUnavailable) {
  StreamClient client(kMethod);
  client.Open(0, "127.0.0.1:1");
  const StreamClient::Event event = Next(client);
  EXPECT_EQ(event.kind, Kind::kClosed);
  EXPECT_EQ(event.status.code(), absl::StatusCode::kUnavailable);
}

TEST_P(StreamTest, AnAddressInUseIsAnErrorThatNamesIt) {
  StreamServer::Options options;
  options.method = kMethod;
  options.handler = &echo_;
  options.listen = server_->address();
  const absl::Status status = StreamServer::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(),
            "cannot listen on " + server_->address() +
                ": the address is in use or not of this host; choose another, or port 0 for any");
}

TEST_P(StreamTest, StoppingTheServerEndsItsStreams) {
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  client.Send(0, Message("echo"));
  EXPECT_EQ(Next(client).kind, Kind::kMessage);
  server_->Stop();
  EXPECT_EQ(Next(client).kind, Kind::kClosed);
  server_->Send(1, Message("to nobody"));
  server_->Stop();
}

TEST_P(StreamTest, PollReturnsAtItsDeadlineAndTicksCome) {
  StreamClient client(kMethod);
  StreamClient::Event event;
  EXPECT_FALSE(client.Poll(absl::InfinitePast(), &event));
  EXPECT_FALSE(client.Poll(absl::Now() + absl::Milliseconds(5), &event));
  echo_.WaitForTicks(3);
}

TEST_P(StreamTest, AClientMayGoWithMessagesUnderWay) {
  for (int round = 0; round < 5; ++round) {
    StreamClient client(kMethod);
    client.Open(0, server_->address());
    for (int i = 0; i < 10; ++i) client.Send(0, Message(std::string(200000, 'x')));
    for (int events = 0; events < round; ++events) Next(client);
  }
}

// 10,000 messages of 1,000 bytes at 8 Mbit/s would take 10 s: of a few that leave at once, the last
// one has to wait for all.
TEST_P(StreamTest, OverALimitedLinkMessagesComeInOrderAndNotBeforeTheLinkHasCarriedThem) {
  const LinkLimit limit{8e6, absl::Milliseconds(2)};  // a byte takes 1 us
  server_->SetLink(limit);
  StreamClient client(kMethod);
  client.SetLink(limit);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  const absl::Time begin = absl::Now();
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i) {
    texts.push_back(std::string(1000, static_cast<char>('a' + i)));
    client.Send(0, Message(texts.back()));
  }
  for (const std::string& text : texts) {
    const StreamClient::Event event = Next(client);
    ASSERT_EQ(event.kind, Kind::kMessage);
    EXPECT_TRUE(TextOf(event.message) == text);
  }
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(20 + 2 + 1 + 2))
      << "20,000 bytes there, the last 1,000 back";
}

TEST_P(StreamTest, AMessageThatIsDelayedHoldsBackThoseAfterIt) {
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  const absl::Time begin = absl::Now();
  client.Send(0, Message("first"));
  client.Send(0, Message("delayed"), absl::Milliseconds(30));
  client.Send(0, Message("after it"));
  for (const char* text : {"first", "delayed", "after it"}) {
    const StreamClient::Event event = Next(client);
    ASSERT_EQ(event.kind, Kind::kMessage);
    EXPECT_EQ(TextOf(event.message), text);
  }
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(30));
}

TEST_P(StreamTest, EitherSideMayGoWhileALimitedLinkHoldsMessagesBack) {
  server_->SetLink({0, absl::Milliseconds(20)});
  for (int round = 0; round < 5; ++round) {
    StreamClient client(kMethod);
    client.SetLink({1000, absl::Seconds(30)});
    client.Open(0, server_->address());
    EXPECT_EQ(Next(client).kind, Kind::kOpened);
    client.Send(0, Message("too late"));
  }
  StreamClient client(kMethod);
  client.Open(0, server_->address());
  EXPECT_EQ(Next(client).kind, Kind::kOpened);
  for (int i = 0; i < 20; ++i) client.Send(0, Message("held back"));
  EXPECT_EQ(Next(client).kind, Kind::kMessage);
  server_->Stop();
}

INSTANTIATE_TEST_SUITE_P(Transports, StreamTest,
                         ::testing::Values(Transport::kTcp, Transport::kUnixSocket,
                                           Transport::kSharedMemory),
                         [](const auto& parameter) {
                           return parameter.param == Transport::kTcp          ? "Tcp"
                                  : parameter.param == Transport::kUnixSocket ? "UnixSocket"
                                                                              : "SharedMemory";
                         });

}  // namespace
}  // namespace convoy
