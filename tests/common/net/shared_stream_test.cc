// Streams whose ends share memory: what goes through it, when it is used, and when it ends.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/mutex.h"
#include "common/net/grpc_process.h"
#include "common/net/local_socket.h"
#include "common/net/shared_memory.h"
#include "common/net/stream_client.h"
#include "common/net/stream_server.h"

namespace convoy {
namespace {

using Kind = StreamClient::Event::Kind;
using ::testing::HasSubstr;
constexpr char kMethod[] = "/convoy.test.Keeper/Exchange";

[[maybe_unused]] const bool kPollsAsTheProduct = (ConfigureGrpc(), true);

WireMessage Values(size_t bytes, char value) {
  const auto owner = std::make_shared<const std::string>(bytes, value);
  Payload payload(owner);
  payload.Append({owner->data(), owner->size()});
  WireMessage message;
  message.header() = "\x09";
  message.AddPayload(payload);
  message.Finish();
  return message;
}

WireMessage Text(const std::string& text) {
  WireMessage message;
  message.header() = text;
  message.Finish();
  return message;
}

// Sends everything back, and keeps it if told to.
class Keeper final : public StreamServer::Handler {
 public:
  void OnMessage(StreamId stream, Payload message) override {
    WireMessage reply = Text(spoilt);
    if (message.size() > 1) {
      reply = WireMessage();
      reply.AddPayload(message);
    }
    if (keeps) {
      MutexLock lock(mutex_);
      kept_.push_back(std::move(message));
    }
    server->Send(stream, reply);
  }
  void OnClosed(StreamId) override {}
  void OnTick() override {}
  std::vector<Payload> TakeKept() {
    MutexLock lock(mutex_);
    return std::exchange(kept_, {});
  }

  StreamServer* server = nullptr;
  std::atomic<bool> keeps{false};
  std::string spoilt;  // answer to a message of a byte

 private:
  Mutex mutex_;
  std::vector<Payload> kept_ CONVOY_GUARDED_BY(mutex_);
};

// Memory of this process that ends of streams share.
struct Shared {
  int mappings = 0;
  size_t resident_kilobytes = 0;

  static Shared Now() {
    Shared shared;
    std::ifstream file("/proc/self/smaps");
    bool ours = false;
    for (std::string line; std::getline(file, line);) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (words.size() > 1 && absl::StrContains(words[0], '-')) {
        ours = absl::StrContains(line, "/memfd:convoy");
        shared.mappings += ours ? 1 : 0;
      }
      size_t kilobytes = 0;
      if (ours && words[0] == "Rss:" && absl::SimpleAtoi(words[1], &kilobytes))
        shared.resident_kilobytes += kilobytes;
    }
    return shared;
  }
};

// Accepts one stream over TCP, and says that it shares memory that nobody has offered.
class Server {
 public:
  Server() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterAsyncGenericService(&service_);
    queue_ = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    service_.RequestCall(&context_, &stream_, queue_.get(), queue_.get(), nullptr);
  }
  ~Server() { Stop(); }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  void Accept() {
    Complete();
    context_.AddInitialMetadata("convoy-stream", "accepted");
    context_.AddInitialMetadata("convoy-memory", "1");
    stream_.SendInitialMetadata(nullptr);
    Complete();
  }
  size_t ReadBytes() {
    grpc::ByteBuffer bytes;
    stream_.Read(&bytes, nullptr);
    Complete();
    return bytes.Length();
  }
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    queue_->Shutdown();
    void* tag;
    bool ok;
    while (queue_->Next(&tag, &ok)) {
    }
    server_.reset();
  }

 private:
  void Complete() {
    void* tag;
    bool ok = false;
    const auto give_up = std::chrono::system_clock::now() + std::chrono::seconds(30);
    EXPECT_EQ(queue_->AsyncNext(&tag, &ok, give_up), grpc::CompletionQueue::GOT_EVENT);
    EXPECT_TRUE(ok);
  }

  int port_ = 0;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
};

class SharedStreamTest : public ::testing::Test {
 protected:
  void Start(bool share_memory) {
    StreamServer::Options options;
    options.method = kMethod;
    options.handler = &keeper_;
    server_ = *StreamServer::Start(options);
    keeper_.server = server_.get();
    ASSERT_TRUE(server_->ListenLocally(share_memory).ok());
  }
  void Open() {
    client_.Open(0, server_->address());
    ASSERT_EQ(Next().kind, Kind::kOpened);
  }
  StreamClient::Event Next() {
    StreamClient::Event event;
    EXPECT_TRUE(client_.Poll(absl::Now() + absl::Seconds(30), &event)) << "nothing for 30 s";
    return event;
  }
  void ExpectBack(size_t bytes, char value) {
    client_.Send(0, Values(bytes, value));
    ExpectNext(bytes, value);
  }
  void ExpectNext(size_t bytes, char value) {
    const StreamClient::Event event = Next();
    ASSERT_EQ(event.kind, Kind::kMessage) << event.status;
    EXPECT_TRUE(event.message.ToString() == Values(bytes, value).ToString()) << bytes << value;
  }

  Keeper keeper_;
  std::unique_ptr<StreamServer> server_;
  StreamClient client_{kMethod};
};

TEST_F(SharedStreamTest, ValuesGoThroughIt) {
  Start(true);
  Open();
  EXPECT_EQ(Shared::Now().mappings, 2) << "both ends are here";
  const size_t before = Shared::Now().resident_kilobytes;
  for (const size_t bytes : {1u, 100u, 3000u, 70000u, 1000000u}) ExpectBack(bytes, 'a');
  // Either end has mapped a megabyte there and a megabyte back.
  EXPECT_GE(Shared::Now().resident_kilobytes, before + 4 * 1000000 / 1024);
  EXPECT_EQ(client_.bytes_sent(), 1073106u) << "bytes of messages, wherever they are";
  EXPECT_EQ(server_->bytes_received(), 1073106u);
}

TEST_F(SharedStreamTest, AServerThatSharesNoneIsSentValuesThroughTheSocket) {
  Start(false);
  Open();
  ExpectBack(1000000, 'a');
  EXPECT_EQ(Shared::Now().mappings, 0);
}

TEST_F(SharedStreamTest, ItIsGoneWithItsStream) {
  Start(true);
  for (int i = 0; i < 3; ++i) {
    Open();
    ExpectBack(100000, static_cast<char>('a' + i));
    client_.Close(0);
    ASSERT_EQ(Next().kind, Kind::kClosed);
  }
  for (int i = 0; i < 3000 && Shared::Now().mappings > 0; ++i) {
    absl::SleepFor(absl::Milliseconds(10));  // the server hears of it later
  }
  EXPECT_EQ(Shared::Now().mappings, 0);
}

// A server that holds what came, for a step that is not complete, takes what comes after it.
TEST_F(SharedStreamTest, WhatFindsNoRoomGoesThroughTheSocket) {
  Start(true);
  keeper_.keeps = true;
  Open();
  for (int i = 0; i < 40; ++i) ExpectBack(200000, static_cast<char>('A' + i));
  EXPECT_GE(Shared::Now().resident_kilobytes, 2 * 1900u) << "what there is was used, at both ends";
  const std::vector<Payload> kept = keeper_.TakeKept();
  ASSERT_EQ(kept.size(), 40u);
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_TRUE(kept[i].ToString() == Values(200000, static_cast<char>('A' + i)).ToString()) << i;
  }
}

TEST_F(SharedStreamTest, WhatWasSentBeforeTheStreamIsOpenComesFirst) {
  Start(true);
  client_.Open(0, server_->address());
  client_.Send(0, Values(50000, 'a'));
  ASSERT_EQ(Next().kind, Kind::kOpened);
  client_.Send(0, Values(50000, 'b'));
  client_.Send(0, Values(5, 'c'));
  ExpectNext(50000, 'a');
  ExpectNext(50000, 'b');
  ExpectNext(5, 'c');
}

TEST_F(SharedStreamTest, AMessageThatNamesWhatThereIsNotEndsTheStream) {
  Start(true);
  Open();
  client_.Send(0, Text(std::string("\0\xff\1\0", 4)));
  StreamClient::Event event = Next();
  ASSERT_EQ(event.kind, Kind::kClosed);
  EXPECT_EQ(event.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(event.status.message()), HasSubstr("shared memory of a stream"));

  keeper_.spoilt = std::string("\0\xff\1\0", 4);
  Open();
  client_.Send(0, Text("?"));
  event = Next();
  ASSERT_EQ(event.kind, Kind::kClosed);
  EXPECT_EQ(event.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(event.status.message()), HasSubstr("shared memory of a stream"));
}

// Connections whose stream never comes; of those that wait the server has so much at most.
TEST_F(SharedStreamTest, MemoryOfClientsThatHaveGoneDoesNotPileUp) {
  Start(true);
  for (int i = 0; i < 300; ++i) {
    const OwnedFd socket = ConnectLocally(server_->address());
    ASSERT_TRUE(socket.valid());
    ASSERT_TRUE(SayHello(socket, (*SharedMemory::Create())->TakeFile()));
  }
  // In turn: when this is served, those before it have been.
  Open();
  EXPECT_LE(Shared::Now().mappings, 256 + 2);
  EXPECT_GE(Shared::Now().mappings, 2);
  ExpectBack(100000, 'a');
  server_->Stop();
  server_.reset();
  EXPECT_EQ(Next().kind, Kind::kClosed);
  EXPECT_EQ(Shared::Now().mappings, 0);
}

// Nothing was offered to it.
TEST_F(SharedStreamTest, AServerThatSaysThatItSharesWhatItHasNotIsSentValuesThroughTheSocket) {
  Server server;
  std::atomic<size_t> received{0};
  std::jthread serving([&] {
    server.Accept();
    received = server.ReadBytes();
  });
  client_.Open(0, server.address());
  ASSERT_EQ(Next().kind, Kind::kOpened);
  client_.Send(0, Values(100000, 'a'));
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  StreamClient::Event event;
  while (received == 0 && absl::Now() < give_up) {
    ASSERT_FALSE(client_.Poll(absl::Now() + absl::Milliseconds(10), &event)) << event.status;
  }
  serving.join();
  EXPECT_EQ(received, 100001u);
}

// One that is not Convoy's shares nothing (docs/protocol.md).
TEST_F(SharedStreamTest, AnyClientOfGrpcIsServedThroughTheUnixSocket) {
  Start(true);
  const auto channel =
      grpc::CreateChannel(absl::StrCat("unix-abstract:convoy ", server_->address()),
                          grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto stream = stub.PrepareCall(&context, kMethod, &queue);
  const auto complete = [&queue] {
    void* tag;
    bool ok = false;
    return queue.AsyncNext(&tag, &ok,
                           std::chrono::system_clock::now() + std::chrono::seconds(30)) ==
               grpc::CompletionQueue::GOT_EVENT &&
           ok;
  };
  stream->StartCall(nullptr);
  ASSERT_TRUE(complete());
  const grpc::Slice sent(std::string(100000, 'x'));
  stream->Write(grpc::ByteBuffer(&sent, 1), nullptr);
  ASSERT_TRUE(complete());
  grpc::ByteBuffer received;
  stream->Read(&received, nullptr);
  ASSERT_TRUE(complete());
  EXPECT_EQ(received.Length(), 100000u);
  grpc::Status status;
  context.TryCancel();
  stream->Finish(&status, nullptr);
  EXPECT_TRUE(complete());
  queue.Shutdown();
}

}  // namespace
}  // namespace convoy
