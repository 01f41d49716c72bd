// ServerCore in modes async and ssp.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

constexpr Mode kAsync{Mode::Kind::kAsync, 0};

TEST(ServerCoreTasksTest, AsyncAppliesAndAnswersAtOnce) {
  TestServer server(TaskOptions(kAsync));
  ExchangeRequest push = PushBatch(0, 1, 0, {{0, {2, 4, 6}}}, 0, 2);
  push.pull_cells = {0, 1};
  push.pull_applied = true;
  push.pull_version = 99;  // ignored
  const ExchangeReply reply = server.Reply(push);
  ASSERT_EQ(reply.cells.size(), 2u);
  EXPECT_EQ(Values(reply.cells[0].values), (std::vector<float>{-1, -2, -3}));
  EXPECT_EQ(reply.cells[1].version, 1u) << "without a gradient it only advanced";
}

TEST(ServerCoreTasksTest, StalenessIsReportedAndSummedUp) {
  TestServer server(TaskOptions(kAsync));
  const Staleness first = server.Reply(PushBatch(0, 1, 0, {{0, {1, 1, 1}}, {1, {1}}}, 0)).staleness;
  EXPECT_EQ(first.count, 2u);
  EXPECT_EQ(first.max, 0u);
  server.Reply(PushBatch(1, 2, 0, {{0, {1, 1, 1}}}, 0));
  ExchangeRequest mixed = PushBatch(0, 1, 1, {{0, {1, 1, 1}}, {1, {1}}}, 0);
  mixed.contributions[1].base_version = 1;
  const Staleness third = server.Reply(mixed).staleness;
  EXPECT_EQ(third.count, 2u);
  EXPECT_EQ(third.sum, 3u) << "2 - 0 and 2 - 1";
  EXPECT_EQ(third.max, 2u);
  EXPECT_EQ(third.min, 1u);
  EXPECT_EQ(server.Reply(mixed).staleness.count, 0u) << "a second copy";
  const v1::ServerStats stats = server.core->Stats();
  EXPECT_EQ(stats.staleness_count(), 5u);
  EXPECT_EQ(stats.staleness_sum(), 4u);
  EXPECT_EQ(stats.staleness_max(), 2u);
  EXPECT_EQ(stats.staleness_min(), 0u);
}

TEST(ServerCoreTasksTest, BatchesComeInOrderAndCountOnce) {
  TestServer server(TaskOptions(kAsync));
  const ExchangeReply gap = server.Reply(PushBatch(3, 8, 1, {{1, {1}}}));
  EXPECT_EQ(gap.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      gap.message,
      "worker 3 pushed batch 1 of task 8, server 0 expects 0 next: send what is missing first");
  server.Reply(PushBatch(3, 8, 0, {{1, {1}}}));
  server.Reply(PushBatch(3, 8, 0, {{1, {1}}}));
  server.Reply(PushBatch(3, 8, 1, {}));
  EXPECT_EQ(server.Reply(PushBatch(3, 8, 3, {})).expected_step, 2u);
  EXPECT_EQ(server.Weights(1), (std::vector<float>{-1}));
  EXPECT_EQ(server.core->Stats().duplicates(), 1u);
  EXPECT_EQ(server.core->Stats().examples(), 2u);
}

TEST(ServerCoreTasksTest, ABatchInSeveralMessagesAdvancesEachCellOnce) {
  TestServer server(TaskOptions(kAsync));
  ExchangeRequest part = PushBatch(0, 1, 0, {{0, {1, 1, 1}}});
  part.final = false;
  server.Reply(part);
  EXPECT_EQ(server.Counts(1).version, 0u);
  server.Reply(PushBatch(0, 1, 0, {{1, {1}}}));
  EXPECT_EQ(server.Counts(0).version, 1u);
  EXPECT_EQ(server.Counts(1).version, 1u);
}

TEST(ServerCoreTasksTest, OfATaskThatTheCoordinatorHasAsCompleteNothingCountsAgain) {
  TestServer server(TaskOptions(kAsync));
  server.Reply(PushBatch(0, 1, 0, {{1, {1}}}));
  ExchangeRequest next = PushBatch(0, 2, 0, {{1, {1}}});
  next.completed_task = 1;
  server.Reply(next);
  const std::vector<float> weights = server.Weights(1);
  // Its marks are gone: it is known as a whole.
  EXPECT_EQ(server.Reply(PushBatch(0, 1, 0, {{1, {1}}})).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.Reply(PushBatch(0, 1, 1, {{1, {1}}})).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.Weights(1), weights);
  EXPECT_EQ(server.core->Stats().duplicates(), 2u);
  EXPECT_EQ(server.Reply(PushBatch(0, 2, 1, {{1, {1}}})).code, absl::StatusCode::kOk);
}

TEST(ServerCoreTasksTest, TaskZeroIsRefused) {
  TestServer server(TaskOptions(kAsync));
  const ExchangeReply reply = server.Reply(PushBatch(0, 0, 0, {}));
  EXPECT_EQ(reply.code, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(reply.message, "push without a task: tasks are numbered from 1 in mode async");
}

class SspTest : public ::testing::Test {
 protected:
  static ServerCore::Options Options() {
    ServerCore::Options options = TaskOptions({Mode::Kind::kSsp, 2});
    options.wait_timeout = absl::Seconds(5);
    return options;
  }
  ExchangeRequest Event(uint32_t worker, ClockEvent event, uint64_t clock = 0) {
    ExchangeRequest request = NewRequest(worker);
    request.clock_event = event;
    request.clock = clock;
    return request;
  }
  // Batch number `clock` - 1 of the worker's task, with a pull.
  ExchangeRequest Batch(uint32_t worker, uint64_t clock) {
    ExchangeRequest request = PushBatch(worker, worker + 1, clock - 1, {{1, {1}}});
    request.clock = clock;
    request.pull_cells = {1};
    request.request_id = clock;
    return request;
  }
  void Join(uint32_t worker) { server_.Reply(Event(worker, ClockEvent::kJoin)); }
  bool Answered(const std::vector<ServerCore::Outgoing>& out, uint32_t worker) {
    return std::any_of(out.begin(), out.end(), [&](const auto& o) { return o.stream == worker; });
  }

  TestServer server_{Options()};
};

TEST_F(SspTest, TheGateOpensExactlyAtTheBoundWithTheNewestVersion) {
  Join(0);
  Join(1);
  EXPECT_TRUE(Answered(server_.Handle(Batch(0, 1)), 0));
  EXPECT_TRUE(Answered(server_.Handle(Batch(0, 2)), 0));
  EXPECT_FALSE(Answered(server_.Handle(Batch(0, 3)), 0)) << "3 ahead of worker 1";
  EXPECT_EQ(server_.Counts(1).version, 3u) << "the push itself was applied";
  const auto out = server_.Handle(Batch(1, 1));
  ASSERT_EQ(out.size(), 2u);
  for (const auto& outgoing : out) {
    EXPECT_EQ(outgoing.reply.request_id, outgoing.stream == 0 ? 3u : 1u);
    EXPECT_EQ(outgoing.reply.cells[0].version, 4u);
    EXPECT_EQ(Values(outgoing.reply.cells[0].values), (std::vector<float>{-4}));
  }
}

TEST_F(SspTest, NobodyWaitsForAWorkerThatLeaves) {
  Join(0);
  Join(1);
  for (uint64_t clock = 1; clock <= 2; ++clock) server_.Handle(Batch(0, clock));
  EXPECT_FALSE(Answered(server_.Handle(Batch(0, 3)), 0));
  EXPECT_TRUE(Answered(server_.Handle(Event(1, ClockEvent::kLeave)), 0));
}

TEST_F(SspTest, NobodyWaitsForThoseWhoseRanksAreGone) {
  for (const uint32_t worker : {0, 1, 2, 3}) Join(worker);
  for (uint64_t clock = 1; clock <= 2; ++clock) {
    server_.Handle(Batch(0, clock));
    server_.Handle(Batch(1, clock));
  }
  EXPECT_FALSE(Answered(server_.Handle(Batch(0, 3)), 0));
  ExchangeRequest last = Event(1, ClockEvent::kLeaveLast, /*workers=*/2);
  last.session = 2;
  EXPECT_TRUE(Answered(server_.Handle(last), 0));
  for (uint64_t clock = 4; clock <= 8; ++clock)
    EXPECT_TRUE(Answered(server_.Handle(Batch(0, clock)), 0)) << "nobody else has a clock";

  const ExchangeReply late = server_.Reply(Event(3, ClockEvent::kJoin));
  EXPECT_EQ(late.code, absl::StatusCode::kAborted) << "a process that was frozen";
  ExchangeRequest joins = Event(3, ClockEvent::kJoin);
  joins.session = 3;
  EXPECT_EQ(server_.Reply(joins).code, absl::StatusCode::kOk) << "when there are four again";
  for (uint64_t clock = 9; clock <= 10; ++clock) server_.Handle(Batch(0, clock));
  EXPECT_FALSE(Answered(server_.Handle(Batch(0, 11)), 0));
  last.request_id = 2;
  last.session = 2;
  server_.Handle(last);
  EXPECT_FALSE(Answered(server_.Handle(Batch(0, 12)), 0)) << "said before it came";
}

// Its stream was down meanwhile.
TEST_F(SspTest, OneWhoseRankIsGoneDoesNotJoinLate) {
  for (const uint32_t worker : {0, 1}) Join(worker);
  ExchangeRequest last = Event(1, ClockEvent::kLeaveLast, /*workers=*/2);
  last.session = 2;
  server_.Handle(last);
  Join(2);
  for (uint64_t clock = 1; clock <= 6; ++clock) {
    server_.Handle(Batch(0, clock));
    ExchangeRequest batch = Batch(1, clock);
    batch.session = 2;
    server_.Handle(batch);
  }
  EXPECT_TRUE(Answered(server_.Handle(Batch(0, 7)), 0)) << "nobody waits for worker 2";
}

TEST_F(SspTest, AJoinerEntersAtTheSlowest) {
  Join(0);
  for (uint64_t clock = 1; clock <= 10; ++clock) server_.Handle(Batch(0, clock));
  Join(1);
  EXPECT_TRUE(Answered(server_.Handle(Batch(0, 11)), 0));
  EXPECT_TRUE(Answered(server_.Handle(Batch(0, 12)), 0));
  EXPECT_FALSE(Answered(server_.Handle(Batch(0, 13)), 0));
}

TEST_F(SspTest, TheNewestVersionIsReadWithoutWaiting) {
  Join(0);
  Join(1);
  for (uint64_t clock = 1; clock <= 3; ++clock) server_.Handle(Batch(0, clock));
  EXPECT_TRUE(Answered(server_.Handle(PullStep(0, kNewestVersion, {1})), 0));
  EXPECT_FALSE(Answered(server_.Handle(PullStep(0, 0, {1})), 0));
}

TEST_F(SspTest, ALatePullNamesTheSlowest) {
  Join(0);
  Join(1);
  for (uint64_t clock = 1; clock <= 3; ++clock) server_.Handle(Batch(0, clock));
  server_.now += absl::Seconds(5);
  const auto out = server_.Tick();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].reply.code, absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(out[0].reply.message,
            "server 0 waited 5.0 s for worker 1 (last heard 5.0 s ago), the slowest, to come "
            "within 2 batches of "
            "worker 0");
  EXPECT_FALSE(Answered(server_.Handle(Batch(1, 1)), 0)) << "once";
}

TEST_F(SspTest, APullOfAClosedStreamIsDropped) {
  Join(0);
  Join(1);
  for (uint64_t clock = 1; clock <= 3; ++clock) server_.Handle(Batch(0, clock));
  server_.core->OnStreamClosed(0);
  EXPECT_FALSE(Answered(server_.Handle(Batch(1, 1)), 0));
}

}  // namespace
}  // namespace convoy::testing
