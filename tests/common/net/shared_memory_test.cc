// The memory that the ends of a stream share: both ends here are of one process.
#include "common/net/shared_memory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <deque>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

Payload Owned(std::string bytes) {
  const auto owner = std::make_shared<const std::string>(std::move(bytes));
  Payload payload(owner);
  payload.Append({owner->data(), owner->size()});
  return payload;
}

// "head", values, "tail".
WireMessage Values(size_t bytes, char value = 'v') {
  WireMessage message;
  message.header() = "head";
  message.AddPayload(Owned(std::string(bytes, value)));
  message.header() += "tail";
  message.Finish();
  return message;
}

class SharedMemoryTest : public ::testing::Test {
 protected:
  SharedMemoryTest() { server_ = *SharedMemory::Map(client_->TakeFile()); }
  // As many messages of that many bytes as there is room for.
  static std::vector<WireMessage> Fill(SharedMemory& end, size_t bytes) {
    std::vector<WireMessage> placed;
    while (auto message = end.Place(Values(bytes))) placed.push_back(*std::move(message));
    return placed;
  }
  absl::Status Refusal(const std::string& message) const {
    return server_->Find(Owned(message)).status();
  }

  std::shared_ptr<SharedMemory> client_ = *SharedMemory::Create(), server_;
};

TEST_F(SharedMemoryTest, EitherEndFindsWhatTheOtherHasPlaced) {
  ASSERT_EQ(client_->id(), server_->id());
  const auto seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  const auto bytes = [&](size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    WireMessage message;
    message.header() = bytes(1 + below(3));
    message.header()[0] = '\x09';  // as messages of protobuf's do
    for (size_t pieces = below(5); pieces > 0; --pieces) {
      // A payload of several segments, none to several slots long.
      auto segments = std::make_shared<std::vector<std::string>>();
      for (size_t n = below(4); n > 0; --n) segments->push_back(bytes(below(40000)));
      Payload payload(segments);
      for (const std::string& segment : *segments) payload.Append({segment.data(), segment.size()});
      message.AddPayload(payload);
      message.header() += bytes(below(3000));
    }
    message.Finish();
    const bool up = below(2) == 0;
    SharedMemory &from = up ? *client_ : *server_, &to = up ? *server_ : *client_;
    const std::optional<WireMessage> placed = from.Place(message);
    const std::string sent = (placed ? *placed : message).ToString();
    const absl::StatusOr<Payload> found = to.Find(Owned(sent));
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_TRUE(found->ToString() == message.ToString()) << "round " << round;
    if (placed) {
      EXPECT_LT(sent.size(), message.size());
    } else {
      EXPECT_LT(message.size(), SharedMemory::kMinBytes + 4 * 1024 + message.header().size());
    }
  }
}

TEST_F(SharedMemoryTest, AMessageWithFewValuesIsLeftAsItIs) {
  EXPECT_FALSE(client_->Place(Values(SharedMemory::kMinBytes - 64)));
  EXPECT_TRUE(client_->Place(Values(SharedMemory::kMinBytes)));
  WireMessage header;
  header.header() = std::string(100000, 'h');
  header.Finish();
  EXPECT_FALSE(client_->Place(header)) << "only values are copied";
}

TEST_F(SharedMemoryTest, AMessageForWhichThereIsNoRoomIsLeftAsItIs) {
  EXPECT_FALSE(client_->Place(Values(SharedMemory::kHalfBytes + 1)));
  EXPECT_TRUE(client_->Place(Values(SharedMemory::kHalfBytes)));
  EXPECT_FALSE(client_->Place(Values(4096))) << "nobody has received what fills it";
  EXPECT_TRUE(server_->Place(Values(4096))) << "the other half";
}

TEST_F(SharedMemoryTest, SlotsAreFreeWhenTheLastCopyOfWhatCameInThemIsGone) {
  std::vector<WireMessage> placed = Fill(*client_, 3 * SharedMemory::kSlotBytes);
  ASSERT_EQ(placed.size(), SharedMemory::kSlots / 3);
  std::vector<Payload> found;
  for (const WireMessage& message : placed) {
    found.push_back(*server_->Find(Owned(message.ToString())));
  }
  ASSERT_TRUE(Fill(*client_, 2 * SharedMemory::kSlotBytes).empty());
  Payload copy = found[7];
  found[7] = Payload();
  EXPECT_TRUE(Fill(*client_, 2 * SharedMemory::kSlotBytes).empty()) << "there is a copy";
  copy = Payload();
  EXPECT_TRUE(Fill(*client_, 4 * SharedMemory::kSlotBytes).empty()) << "three are free";
  const std::vector<WireMessage> again = Fill(*client_, 3 * SharedMemory::kSlotBytes);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].ToString(), placed[7].ToString()) << "in the same place";
  EXPECT_EQ(found[6].ToString(), Values(3 * SharedMemory::kSlotBytes).ToString());
  EXPECT_EQ(found[8].ToString(), Values(3 * SharedMemory::kSlotBytes).ToString());
}

TEST_F(SharedMemoryTest, WhatCameStaysWhenBothEndsAreGone) {
  const std::string sent = client_->Place(Values(100000))->ToString();
  const Payload found = *server_->Find(Owned(sent));
  client_.reset();
  server_.reset();
  EXPECT_EQ(found.ToString(), Values(100000).ToString());
}

// One thread sends and another one receives, which lets go of what it has in no order; nothing is
// overwritten too early.
TEST_F(SharedMemoryTest, OneEndSendsWhileTheOtherLetsGo) {
  constexpr size_t kMessages = 3000, kHeld = 20;
  const auto seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  const auto message = [](size_t i) {
    return Values(5000 + i * 7919 % 90000, static_cast<char>('a' + i % 26));
  };
  Mutex mutex;
  CondVar changed;
  std::deque<std::string> sent;
  size_t in_slots = 0;
  std::jthread sender([&] {
    for (size_t i = 0; i < kMessages; ++i) {
      const std::optional<WireMessage> placed = client_->Place(message(i));
      in_slots += placed ? 1 : 0;
      MutexLock lock(mutex);
      sent.push_back((placed ? *placed : message(i)).ToString());
      changed.NotifyAll();
    }
  });
  std::mt19937_64 random(seed);
  std::vector<std::pair<size_t, Payload>> held;
  size_t wrong = 0;
  for (size_t i = 0; i < kMessages; ++i) {
    std::string bytes;
    {
      MutexLock lock(mutex);
      while (sent.empty()) changed.Wait(mutex);
      bytes = std::move(sent.front());
      sent.pop_front();
    }
    held.emplace_back(i, *server_->Find(Owned(std::move(bytes))));
    if (held.size() < kHeld) continue;
    std::swap(held[random() % kHeld], held.back());
    wrong += held.back().second.ToString() == message(held.back().first).ToString() ? 0 : 1;
    held.pop_back();
  }
  sender.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(in_slots, kMessages / 100);
}

TEST_F(SharedMemoryTest, OnlyMemoryOfItsOwnKindIsMapped) {
  const auto refusal = [](int fd) {
    return std::string(SharedMemory::Map(OwnedFd(fd)).status().message());
  };
  const auto file = [](off_t bytes, int seals) {
    const int fd = ::memfd_create("test", MFD_ALLOW_SEALING);
    EXPECT_EQ(::ftruncate(fd, bytes), 0);
    EXPECT_EQ(::fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
  };
  const auto memory = *SharedMemory::Create();
  const off_t size = ::lseek(memory->TakeFile().get(), 0, SEEK_END);
  constexpr int kFinal = F_SEAL_SHRINK | F_SEAL_GROW;
  EXPECT_THAT(refusal(file(size, F_SEAL_GROW)), HasSubstr("its size is not final"))
      << "who makes it smaller ends who reads it";
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_THAT(refusal(pipe[0]), HasSubstr("its size is not final"));
  ::close(pipe[1]);
  EXPECT_THAT(refusal(file(size - 4096, kFinal)), HasSubstr("not its size"));
  EXPECT_THAT(refusal(file(size, kFinal)), HasSubstr("of another program"));
}

TEST_F(SharedMemoryTest, AMessageThatNamesWhatThereIsNotIsRefused) {
  const std::string good = client_->Place(Values(100000))->ToString();
  ASSERT_TRUE(Refusal(good).ok());
  for (const size_t size : {1u, 3u, 4u, 11u}) {
    EXPECT_THAT(std::string(Refusal(good.substr(0, size)).message()), HasSubstr("ends in its head"))
        << size;
  }
  EXPECT_THAT(std::string(Refusal(good.substr(0, 12)).message()), HasSubstr("behind the end"));
  const auto with = [&good](size_t at, unsigned char byte) {
    std::string other = good;
    other[at] = static_cast<char>(byte);
    return other;
  };
  EXPECT_THAT(std::string(Refusal(with(1, 64)).message()), HasSubstr("from slot 64 on, of 64"));
  EXPECT_THAT(std::string(Refusal(with(1, 61)).message()), HasSubstr("from slot 61 on, of 64"));
  EXPECT_TRUE(Refusal(with(1, 60)).ok()) << "four slots";
  EXPECT_FALSE(Refusal(with(11, 1)).ok()) << "16 MB more";
  EXPECT_FALSE(Refusal(std::string(4, '\0')).ok()) << "no part";
  EXPECT_EQ(Refusal(good.substr(0, 4)).code(), absl::StatusCode::kInvalidArgument);
  // What does not begin so is not looked at.
  EXPECT_TRUE(Refusal("").ok());
  EXPECT_TRUE(Refusal("\x09 and anything").ok());
}

}  // namespace
}  // namespace convoy
