// Several threads on one ServerCore, as with several server threads. Built for ThreadSanitizer; the
// sums at the end show lost and doubled contributions in any build.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <thread>

#include "common/mutex.h"
#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

constexpr uint32_t kWorkers = 4;
constexpr uint64_t kSteps = 200;

// Brings replies, which any thread may produce, to the worker that waits for them.
class Mailbox {
 public:
  void Put(const std::vector<ServerCore::Outgoing>& out) {
    MutexLock lock(mutex_);
    for (const ServerCore::Outgoing& o : out) replies_[{o.stream, o.reply.request_id}] = o.reply;
    changed_.NotifyAll();
  }
  ExchangeReply Wait(uint64_t stream, uint64_t request) {
    MutexLock lock(mutex_);
    while (replies_.count({stream, request}) == 0) changed_.Wait(mutex_);
    ExchangeReply reply = std::move(replies_.at({stream, request}));
    replies_.erase({stream, request});
    return reply;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<std::pair<uint64_t, uint64_t>, ExchangeReply> replies_ CONVOY_GUARDED_BY(mutex_);
};

class ServerCoreConcurrencyTest : public ::testing::Test {
 protected:
  // Sends until it is accepted; returns the answer.
  ExchangeReply Exchange(TestServer& server, ExchangeRequest request, uint64_t stream,
                         uint64_t number) {
    request.request_id = number;
    for (;;) {
      std::vector<ServerCore::Outgoing> out;
      server.core->Handle(stream, request, server.now, &out);
      mailbox_.Put(out);
      ExchangeReply reply = mailbox_.Wait(stream, number);
      if (!reply.retry_later) return reply;
      std::this_thread::yield();
    }
  }
  void RunWorkers(const std::function<void(uint32_t)>& work) {
    std::vector<std::thread> threads;
    for (uint32_t w = 0; w < kWorkers; ++w) threads.emplace_back(work, w);
    for (std::thread& thread : threads) thread.join();
  }

  Mailbox mailbox_;
};

// Every worker pushes ones; a mean of ones takes one off each step.
TEST_F(ServerCoreConcurrencyTest, SyncWorkersStayInStepAndSeeEachVersion) {
  ServerCore::Options options = SyncOptions(kWorkers, kWorkers);
  options.out_of_order_budget = 0.5;
  TestServer server(options);
  RunWorkers([&](uint32_t w) {
    uint64_t number = 0;
    for (uint64_t step = 0; step < kSteps; ++step) {
      Exchange(server, PushStep(w, step, {0, w}, {{0, {1, 1, 1}}}, 1, /*final=*/false), w,
               ++number);
      ExchangeRequest last = PushStep(w, step, {0, w}, {{1, {1}}});
      last.pull_cells = {0, 1};
      last.pull_version = step + 1;
      last.pull_applied = true;
      const ExchangeReply reply = Exchange(server, last, w, ++number);
      ASSERT_EQ(reply.code, absl::StatusCode::kOk) << reply.message;
      const float expected = -static_cast<float>(step + 1);
      ASSERT_EQ(Values(reply.cells[0].values), (std::vector<float>{expected, expected, expected}));
      ASSERT_EQ(Values(reply.cells[1].values), (std::vector<float>{expected}));
    }
  });
  EXPECT_EQ(server.core->Stats().examples(), kSteps * kWorkers);
  EXPECT_EQ(server.core->Stats().stored_bytes(), 0u);
}

// Messages of many buckets, several of which are locked at a time; every worker names all rows.
TEST_F(ServerCoreConcurrencyTest, RowsOfManyBucketsArePushedAndPulledAtTheSameTime) {
  constexpr uint64_t kIds = 500, kBatches = 40;
  TestServer server(TaskOptions({Mode::Kind::kAsync, 0}), SmallModel(), 1,
                    {{"emb", {{"v", 1, Initializer::Zeros()}}}});
  std::vector<uint64_t> ids;
  RowGradients ones;
  for (uint64_t id = 0; id < kIds; ++id) {
    ids.push_back(id);
    ones.push_back({id, {1}});
  }
  RunWorkers([&](uint32_t w) {
    for (uint64_t batch = 0; batch < kBatches; ++batch) {
      ExchangeRequest request = PushBatch(w, /*task=*/w + 1, batch, {});
      request.rows.push_back(Rows(0, ones));
      request.pull_version = kNewestVersion;
      request.pull_rows.push_back(PullOf(0, ids));
      const ExchangeReply reply = Exchange(server, request, w, batch + 1);
      ASSERT_EQ(reply.code, absl::StatusCode::kOk) << reply.message;
      for (const float value : Values(reply.rows[0].values)) {
        ASSERT_LE(value, -static_cast<float>(batch + 1)) << "its own pushes";
      }
      server.core->Stats();
    }
  });
  ExchangeRequest pull = NewRequest(0);
  pull.pull_version = kNewestVersion;
  pull.pull_rows.push_back(PullOf(0, ids));
  EXPECT_EQ(Values(server.Reply(pull).rows[0].values),
            std::vector<float>(kIds, -static_cast<float>(kWorkers * kBatches)));
}

// A worker's old stream may still be handled by one thread while another handles its new one.
TEST_F(ServerCoreConcurrencyTest, AStreamThatIsReplacedWhileItIsHandledLosesNothing) {
  ServerCore::Options options = SyncOptions(kWorkers, kWorkers);
  options.out_of_order_budget = 0.5;
  TestServer server(options);
  RunWorkers([&](uint32_t w) {
    for (uint64_t step = 0; step < kSteps; ++step) {
      const auto send = [&](uint64_t session, bool until_accepted) {
        ExchangeRequest first = PushStep(w, step, {0, w}, {{0, {1, 1, 1}}}, 1, /*final=*/false);
        ExchangeRequest last = PushStep(w, step, {0, w}, {{1, {1}}});
        first.session = last.session = session;
        const uint64_t stream = session * kWorkers + w;
        if (until_accepted) {
          EXPECT_EQ(Exchange(server, first, stream, 1).code, absl::StatusCode::kOk);
          EXPECT_EQ(Exchange(server, last, stream, 2).code, absl::StatusCode::kOk);
        } else {
          std::vector<ServerCore::Outgoing>
              out;  // the answers are lost with the stream, those to others are not
          server.core->Handle(stream, first, server.now, &out);
          server.core->Handle(stream, last, server.now, &out);
          mailbox_.Put(out);
        }
      };
      std::thread old([&] { send(2 * step + 1, false); });
      send(2 * step + 2, true);
      old.join();
      ExchangeRequest wait = PullStep(w, step + 1, {0});
      wait.session = 2 * step + 2;
      wait.pull_applied = true;
      const float expected = -static_cast<float>(step + 1);
      ASSERT_EQ(Values(Exchange(server, wait, w, step + 10).cells[0].values)[0], expected);
    }
  });
  EXPECT_EQ(server.core->Stats().examples(), kSteps * kWorkers);
}

void ExpectAllBatchesCounted(const TestServer& server) {
  for (uint32_t cell : {0u, 1u, ServerCore::kServerCell}) {
    EXPECT_EQ(server.Counts(cell).version, kSteps * kWorkers);
    EXPECT_EQ(server.Counts(cell).examples, kSteps * kWorkers);
  }
  // All of the sums stay whole numbers below 2^24.
  EXPECT_EQ(server.Weights(1)[0], -static_cast<float>(kSteps * kWorkers));
}

TEST_F(ServerCoreConcurrencyTest, AsyncCountsEveryBatchOfEveryWorkerOnce) {
  TestServer server(TaskOptions({Mode::Kind::kAsync, 0}));
  RunWorkers([&](uint32_t w) {
    for (uint64_t batch = 0; batch < kSteps; ++batch) {
      ExchangeRequest push = PushBatch(w, w + 1, batch, {{0, {1, 1, 1}}, {1, {1}}});
      push.pull_cells = {0};
      ASSERT_EQ(Exchange(server, push, w, 2 * batch + 1).code, absl::StatusCode::kOk);
      ASSERT_EQ(Exchange(server, push, w, 2 * batch + 2).code,
                absl::StatusCode::kOk);  // a second copy
    }
  });
  ExpectAllBatchesCounted(server);
  EXPECT_EQ(server.core->Stats().duplicates(), 2 * kSteps * kWorkers);
  EXPECT_EQ(server.core->Stats().staleness_count(), 2 * kSteps * kWorkers);
}

TEST_F(ServerCoreConcurrencyTest, SspWorkersAllGetThrough) {
  TestServer server(TaskOptions({Mode::Kind::kSsp, 1}));
  for (uint32_t w = 0; w < kWorkers; ++w) {
    ExchangeRequest join = NewRequest(w);
    join.clock_event = ClockEvent::kJoin;
    server.Reply(join);
  }
  RunWorkers([&](uint32_t w) {
    for (uint64_t batch = 0; batch < kSteps; ++batch) {
      ExchangeRequest push = PushBatch(w, w + 1, batch, {{0, {1, 1, 1}}, {1, {1}}});
      push.clock = batch + 1;
      push.pull_cells = {0, 1};
      const ExchangeReply reply = Exchange(server, push, w, batch + 1);
      ASSERT_EQ(reply.code, absl::StatusCode::kOk);
      // The slowest of four has done batch - 1 at least, and so has everybody.
      ASSERT_GE(reply.cells[1].version + kWorkers, (batch + 1) * kWorkers);
      if (batch % 50 == 0) server.core->Stats();
    }
    ExchangeRequest leave = NewRequest(w);
    leave.clock_event = ClockEvent::kLeave;
    Exchange(server, leave, w, kSteps + 1);
  });
  ExpectAllBatchesCounted(server);
}

TEST_F(ServerCoreConcurrencyTest, DeadlinesAndClosedStreamsRaceWithAnswers) {
  ServerCore::Options options = SyncOptions(kWorkers, kWorkers);
  options.out_of_order_budget = kWorkers;
  options.wait_timeout = absl::ZeroDuration();  // late at once
  TestServer server(options);
  RunWorkers([&](uint32_t w) {
    for (uint64_t step = 0; step < kSteps; ++step) {
      ExchangeRequest push = PushStep(w, step, {0, w}, {{0, {1, 1, 1}}, {1, {1}}});
      push.pull_cells = {0, 1};
      push.pull_version = step + 1;
      std::vector<ServerCore::Outgoing> out;
      server.core->Handle(w, push, server.now, &out);
      if (step % 3 == w % 3) server.core->OnStreamClosed(w);
      server.core->Tick(server.now, &out);
      // Others must be there before the next step: asked by new pulls, as the answer may have been
      // "too late".
      while (server.Counts(ServerCore::kServerCell).version <= step) std::this_thread::yield();
    }
  });
  EXPECT_EQ(server.Weights(1)[0], -static_cast<float>(kSteps));
  EXPECT_EQ(server.core->Stats().parked(), 0u);
}

}  // namespace
}  // namespace convoy::testing
