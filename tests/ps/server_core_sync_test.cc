// ServerCore in mode sync.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

TEST(ServerCoreSyncTest, APushPullIsAnsweredWithTheNextVersionWhenAllSlicesAreThere) {
  TestServer server(SyncOptions(2, 2));
  ExchangeRequest first = PushStep(0, 0, {0, 0}, {{0, {1, 2, 3}}}, 2);
  first.request_id = 7;
  first.pull_cells = {1, 0};
  first.pull_version = 1;
  first.pull_applied = true;
  EXPECT_TRUE(server.Handle(first).empty());
  EXPECT_EQ(server.core->Stats().parked(), 1u);

  const auto out = server.Handle(PushStep(1, 0, {0, 1}, {{0, {3, 2, 1}}, {1, {8}}}, 2));
  ASSERT_EQ(out.size(), 2u);
  const ExchangeReply& reply = out[0].stream == 0 ? out[0].reply : out[1].reply;
  EXPECT_EQ(reply.request_id, 7u);
  EXPECT_EQ(reply.code, absl::StatusCode::kOk);
  ASSERT_EQ(reply.cells.size(), 2u);
  EXPECT_EQ(reply.cells[0].cell, 1u) << "in the order of pull_cells";
  EXPECT_EQ(reply.cells[0].version, 1u);
  EXPECT_EQ(Values(reply.cells[0].values), (std::vector<float>{-2}));
  EXPECT_EQ(Values(reply.cells[1].values), (std::vector<float>{-1, -1, -1}));
  EXPECT_EQ(server.core->Stats().parked(), 0u);
  EXPECT_EQ(server.core->Stats().examples(), 4u);
}

TEST(ServerCoreSyncTest, PullAppliedWaitsForTheCellsThatNobodyPulls) {
  TestServer server(SyncOptions(1));
  ExchangeRequest part = PushStep(0, 0, {0, 0}, {{0, {1, 1, 1}}}, 1, /*final=*/false);
  part.pull_cells = {0};
  part.pull_version = 1;
  EXPECT_EQ(server.Reply(part).cells[0].version, 1u) << "its own cell is complete";
  ExchangeRequest wait = PullStep(0, 1, {});
  wait.pull_applied = true;
  EXPECT_TRUE(server.Handle(wait).empty());
  EXPECT_EQ(server.Handle(PushStep(0, 0, {0, 0}, {})).size(), 2u);
  EXPECT_EQ(server.Counts(1).version, 1u) << "final: the cell that was not named has no gradient";
  EXPECT_EQ(server.Counts(1).updates, 0u);
}

TEST(ServerCoreSyncTest, APullRemembersOneStepBack) {
  TestServer server(SyncOptions(1));
  for (uint64_t step = 0; step < 3; ++step) server.Reply(PushStep(0, step, {0, 0}, {{1, {1}}}));
  EXPECT_EQ(Values(server.Reply(PullStep(0, 2, {1})).cells[0].values), (std::vector<float>{-2}));
  EXPECT_EQ(Values(server.Reply(PullStep(0, 3, {1})).cells[0].values), (std::vector<float>{-3}));
  const ExchangeReply old = server.Reply(PullStep(0, 1, {1}));
  EXPECT_EQ(old.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(old.message,
            "pull of \"b\" block 0 at version 1: it is at 3 and remembers one step back");
  EXPECT_EQ(server.Reply(PullStep(0, kNewestVersion, {1})).cells[0].version, 3u);
}

TEST(ServerCoreSyncTest, TheSameResultWhateverTheMessagesAndTheOrder) {
  const std::vector<std::vector<float>> w = {{1e8f, 0.1f, 1}, {1, 0.2f, -1}, {-1e8f, 0.3f, 1}};
  const std::vector<float> sum = TreeSum(w);
  std::vector<uint32_t> order = {0, 1, 2};
  do {
    TestServer server(SyncOptions(3, 3));
    for (uint32_t slice : order) {
      if (slice == 1) {  // in two messages
        server.Handle(PushStep(slice, 0, {0, slice}, {{0, w[slice]}}, 1, /*final=*/false));
        server.Handle(PushStep(slice, 0, {0, slice}, {{1, {1}}}));
      } else {
        server.Handle(PushStep(slice, 0, {0, slice}, {{1, {1}}, {0, w[slice]}}));
      }
    }
    std::vector<float> expected;
    for (float value : sum) expected.push_back(0.0f - value * (1.0f / 3));
    EXPECT_EQ(Bits(server.Weights(0)), Bits(expected));
    EXPECT_EQ(server.Counts(0).version, 1u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ServerCoreSyncTest, RetriesCountOnceAndAreCounted) {
  TestServer server(SyncOptions(1));
  const ExchangeRequest push = PushStep(0, 0, {0, 0}, {{0, {1, 1, 1}}, {1, {1}}});
  server.Reply(push);
  EXPECT_EQ(server.Reply(push).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.Weights(1), (std::vector<float>{-1}));
  EXPECT_EQ(server.core->Stats().duplicates(), 2u) << "two contributions";
  EXPECT_EQ(server.core->Stats().examples(), 1u);
}

TEST(ServerCoreSyncTest, AGapNamesTheStepThatIsExpected) {
  TestServer server(SyncOptions(2));
  for (bool empty : {false, true}) {
    const ExchangeReply reply =
        server.Reply(PushStep(0, 3, {0, 0}, empty ? Gradients{} : Gradients{{0, {1, 1, 1}}}));
    EXPECT_EQ(reply.code, absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(reply.message,
              "worker 0 pushed step 3, server 0 expects 0 next: send what is missing first");
    EXPECT_EQ(reply.expected_step, 0u);
  }
  server.Reply(PushStep(0, 0, {1, 0}, {}));
  EXPECT_EQ(server.Reply(PushStep(0, 2, {0, 0}, {})).expected_step, 1u);
}

// Four slices, room for one cell's gradient of "w" (12 bytes) and not for more.
ServerCore::Options LittleRoom() {
  ServerCore::Options options = SyncOptions(4, 2);
  options.out_of_order_budget = 0.75;  // of 16 bytes
  return options;
}

TEST(ServerCoreSyncTest, WithoutRoomAPushIsToBeSentAgainLater) {
  TestServer server(LittleRoom());
  server.Reply(PushStep(1, 0, {0, 2}, {{0, {1, 1, 1}}}));
  const ExchangeReply refused = server.Reply(PushStep(1, 0, {0, 3}, {{0, {2, 2, 2}}, {1, {1}}}));
  EXPECT_TRUE(refused.retry_later);
  EXPECT_EQ(refused.code, absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(server.core->Stats().retry_later(), 1u);
  EXPECT_EQ(server.core->Stats().stored_bytes(), 12u);
  EXPECT_FALSE(server.Reply(PushStep(0, 0, {0, 0}, {{0, {1, 1, 1}}})).retry_later)
      << "the lowest missing slice";
  EXPECT_FALSE(server.Reply(PushStep(0, 0, {0, 1}, {{0, {1, 1, 1}}})).retry_later);
  EXPECT_FALSE(server.Reply(PushStep(1, 0, {0, 3}, {{0, {2, 2, 2}}, {1, {4}}})).retry_later);
  EXPECT_EQ(server.Weights(0), (std::vector<float>{-1.25f, -1.25f, -1.25f}));
  EXPECT_EQ(server.Counts(0).version, 1u);
  EXPECT_EQ(server.core->Stats().stored_bytes(), 0u);
}

TEST(ServerCoreSyncTest, APushIsNotFinishedOverARefusedCell) {
  TestServer server(LittleRoom());
  server.Reply(PushStep(1, 0, {0, 2}, {{0, {1, 1, 1}}}));
  const ExchangeRequest first = PushStep(1, 0, {0, 3}, {{0, {4, 4, 4}}}, 1, /*final=*/false);
  EXPECT_TRUE(server.Reply(first).retry_later);
  const ExchangeRequest last = PushStep(1, 0, {0, 3}, {{1, {1}}});
  EXPECT_TRUE(server.Reply(last).retry_later) << "else cell 0 would count as empty";
  server.Reply(PushStep(0, 0, {0, 0}, {{0, {0, 0, 0}}}));
  server.Reply(PushStep(0, 0, {0, 1}, {{0, {3, 3, 3}}}));
  EXPECT_TRUE(server.Reply(last).retry_later);
  EXPECT_FALSE(server.Reply(first).retry_later);
  EXPECT_FALSE(server.Reply(last).retry_later);
  EXPECT_EQ(server.Weights(0), (std::vector<float>{-2, -2, -2}));
}

// Otherwise slice 3, refused for room, kept slice 2 of the same worker from being finished, and
// nothing could go on.
TEST(ServerCoreSyncTest, ARefusedSliceDoesNotHoldUpAnotherOne) {
  TestServer server(LittleRoom());
  server.Reply(PushStep(1, 0, {0, 2}, {{0, {1, 1, 1}}}, 1, /*final=*/false));
  EXPECT_TRUE(
      server.Reply(PushStep(1, 0, {0, 3}, {{0, {1, 1, 1}}}, 1, /*final=*/false)).retry_later);
  EXPECT_FALSE(server.Reply(PushStep(1, 0, {0, 2}, {})).retry_later);
}

TEST(ServerCoreSyncTest, ANewSessionForgetsWhatTheOldOneWasRefused) {
  TestServer server(LittleRoom());
  server.Reply(PushStep(1, 0, {0, 2}, {{0, {1, 1, 1}}}));
  EXPECT_TRUE(
      server.Reply(PushStep(1, 0, {0, 3}, {{0, {1, 1, 1}}}, 1, /*final=*/false)).retry_later);
  ExchangeRequest last = PushStep(1, 0, {0, 3}, {});
  last.session = 2;
  EXPECT_FALSE(server.Reply(last).retry_later);
}

TEST(ServerCoreSyncTest, SettingsAndSchedulesReachTheCells) {
  ServerCore::Options options = SyncOptions(1);
  options.epoch_examples = 4;
  options.optimizer.mutable_schedule()->mutable_step()->set_factor(0.25);  // every epoch
  v1::Override* other = options.optimizer.add_override();
  other->set_match("b");
  other->set_learning_rate(8);
  TestServer server(options);
  server.Reply(PushStep(0, 0, {0, 0}, {{0, {4, 4, 4}}, {1, {4}}}, 4));
  EXPECT_EQ(server.Weights(0)[0], -1);
  EXPECT_EQ(server.Weights(1)[0], -8);
  server.Reply(PushStep(0, 1, {0, 0}, {{0, {4, 4, 4}}, {1, {4}}}, 4));
  EXPECT_EQ(server.Weights(0)[0], -1.25f);
  EXPECT_EQ(server.Weights(1)[0], -10);
}

TEST(ServerCoreSyncTest, AServerWithoutCellsCountsSteps) {
  TestServer server(
      [] {
        ServerCore::Options options = SyncOptions(1);
        options.rank = 2;
        return options;
      }(),
      SmallModel(), /*servers=*/3);
  ExchangeRequest push = PushStep(0, 0, {0, 0}, {}, 5);
  push.pull_version = 1;
  push.pull_applied = true;
  EXPECT_EQ(server.Reply(push).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.core->Stats().examples(), 5u);
}

TEST(ServerCoreSyncTest, ALatePullSaysWhatIsMissingAndWhoWasHeardOfWhen) {
  ServerCore::Options options = SyncOptions(3, 3);
  options.wait_timeout = absl::Seconds(10);
  options.rank = 0;
  TestServer server(options);
  server.Handle(PushStep(1, 0, {0, 1}, {{0, {1, 1, 1}}}, 1, /*final=*/false));
  server.now += absl::Seconds(2);
  ExchangeRequest push = PushStep(0, 0, {0, 0}, {});
  push.request_id = 5;
  push.pull_cells = {0};
  push.pull_version = 1;
  server.Handle(push);
  server.now += absl::Milliseconds(9999);
  EXPECT_TRUE(server.Tick().empty());
  server.now += absl::Milliseconds(1);
  const auto out = server.Tick();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].reply.request_id, 5u);
  EXPECT_EQ(out[0].reply.code, absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(out[0].reply.message,
            "server 0 waited 10.0 s at step 0 for slice 1 of worker 1 (last heard 12.0 s ago), "
            "slice 2 of worker 2 (never heard of)");
  EXPECT_TRUE(server.Tick().empty()) << "once";
  server.Handle(PushStep(1, 0, {0, 1}, {}));
  EXPECT_EQ(server.Handle(PushStep(2, 0, {0, 2}, {})).size(), 1u)
      << "the late pull is not answered again";
}

TEST(ServerCoreSyncTest, NothingIsSentToAClosedStream) {
  TestServer server(SyncOptions(2, 2));
  ExchangeRequest push = PushStep(0, 0, {0, 0}, {});
  push.pull_cells = {0, 1};
  push.pull_version = 1;
  server.Handle(push);
  server.core->OnStreamClosed(0);
  EXPECT_EQ(server.core->Stats().parked(), 0u);
  EXPECT_EQ(server.Handle(PushStep(1, 0, {0, 1}, {})).size(), 1u);
}

}  // namespace
}  // namespace convoy::testing
