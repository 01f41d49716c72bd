#include "common/net/send_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace convoy::net_internal {
namespace {

class SendQueueTest : public ::testing::Test {
 protected:
  void Add(size_t size, absl::Time due = absl::InfinitePast()) { queue_.Add({{}, size, due}); }
  bool BeginsWithHint() { return queue_.BeginWrite().get_buffer_hint(); }
  // A stream that has sent before.
  void SendOne() {
    Add(1);
    EXPECT_FALSE(BeginsWithHint());
    EXPECT_FALSE(queue_.EndWrite());
  }

  SendQueue queue_;
};

TEST_F(SendQueueTest, AMessageAloneIsWrittenAtOnceAndWithoutTheHint) {
  EXPECT_FALSE(queue_.ready());
  for (int i = 0; i < 3; ++i) {
    Add(100);
    EXPECT_TRUE(queue_.ready());
    EXPECT_FALSE(BeginsWithHint());
    EXPECT_FALSE(queue_.ready()) << "one write at a time";
    EXPECT_EQ(queue_.bytes(), 100u);
    EXPECT_FALSE(queue_.EndWrite());
    EXPECT_TRUE(queue_.empty());
    EXPECT_EQ(queue_.bytes(), 0u);
    EXPECT_FALSE(queue_.holds_back());
  }
}

TEST_F(SendQueueTest, MessagesOfABurstAreHeldAndLeaveTogether) {
  SendOne();
  Add(100);
  EXPECT_FALSE(BeginsWithHint());
  Add(200);
  EXPECT_TRUE(queue_.EndWrite());
  EXPECT_TRUE(queue_.holds_back());
  Add(300);
  Add(400);
  EXPECT_FALSE(queue_.ready());
  EXPECT_TRUE(queue_.Release());
  EXPECT_FALSE(queue_.Release());
  for (const size_t size : {200, 300}) {
    ASSERT_TRUE(queue_.ready());
    EXPECT_EQ(queue_.front().size, size);
    EXPECT_TRUE(BeginsWithHint());
    EXPECT_TRUE(queue_.holds_back());
    EXPECT_FALSE(queue_.EndWrite()) << "the next one is what it waits for";
  }
  EXPECT_EQ(queue_.front().size, 400u);
  EXPECT_FALSE(BeginsWithHint());
  EXPECT_FALSE(queue_.holds_back());
  EXPECT_FALSE(queue_.EndWrite());
}

// Else a whole window of messages would wait in gRPC for its last one, and the peer with it.
TEST_F(SendQueueTest, NoMoreThanThatLeavesTogether) {
  SendOne();
  constexpr size_t kSize = SendQueue::kMaxHeldBytes / 3;
  for (int i = 0; i < 8; ++i) Add(kSize);
  std::vector<bool> hints;
  while (!queue_.empty()) {
    hints.push_back(BeginsWithHint());
    queue_.EndWrite();
  }
  EXPECT_EQ(hints, std::vector<bool>({true, true, false, true, true, false, true, false}));
}

TEST_F(SendQueueTest, ALargeMessageDoesNotWaitForTheNext) {
  SendOne();
  Add(SendQueue::kMaxHeldBytes);
  Add(100);
  EXPECT_FALSE(BeginsWithHint());
}

TEST_F(SendQueueTest, LargeMessagesAreNotHeld) {
  SendOne();
  Add(100);
  queue_.BeginWrite();
  Add(SendQueue::kMaxHeldBytes);
  EXPECT_FALSE(queue_.EndWrite());
  EXPECT_TRUE(queue_.ready());
}

TEST_F(SendQueueTest, WhatIsHeldIsReleasedWhenMuchWaits) {
  SendOne();
  Add(100);
  queue_.BeginWrite();
  Add(100);
  EXPECT_TRUE(queue_.EndWrite());
  Add(SendQueue::kMaxHeldBytes - 101);
  EXPECT_TRUE(queue_.held());
  Add(1);
  EXPECT_FALSE(queue_.held());
  EXPECT_TRUE(queue_.ready());
  EXPECT_FALSE(queue_.Release());
}

// It would wait for headers that leave with it.
TEST_F(SendQueueTest, TheFirstMessageHasNoHint) {
  Add(100);
  Add(100);
  EXPECT_FALSE(BeginsWithHint());
}

TEST_F(SendQueueTest, AMessageWithATimeNeitherKeepsAnotherWaitingNorIsHeld) {
  SendOne();
  Add(100);
  Add(100, absl::UnixEpoch());
  EXPECT_FALSE(BeginsWithHint());
  EXPECT_FALSE(queue_.EndWrite());
  EXPECT_EQ(queue_.front().due, absl::UnixEpoch());
  EXPECT_TRUE(queue_.ready());
}

}  // namespace
}  // namespace convoy::net_internal
