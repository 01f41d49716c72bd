#include "worker/client_core.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

using Kind = ClientCore::Action::Kind;
constexpr Mode kAsync{Mode::Kind::kAsync, 0};

class ClientCoreTest : public ::testing::Test {
 protected:
  void Make(uint32_t servers, Mode mode = {}) {
    ClientCore::Options options;
    options.job_id = 5;
    options.generation = 6;
    options.worker = 7;
    for (uint32_t i = 0; i < servers; ++i)
      options.servers.push_back("127.0.0.1:" + std::to_string(4000 + i));
    options.mode = mode;
    options.in_flight_bytes = 100;
    core_ = std::make_unique<ClientCore>(options);
    core_->Start(now_, &actions_);
    EXPECT_EQ(Take(), Repeat("open", servers));
    for (uint32_t i = 0; i < servers; ++i) core_->OnOpened(i, now_, &actions_);
    EXPECT_EQ(Take(), "");
  }

  // What the core wants done, e.g. "send 1/12 " (server 1, request 12).
  std::string Take() {
    std::string text;
    for (const ClientCore::Action& action : std::exchange(actions_, {})) {
      const std::string server = std::to_string(action.server);
      switch (action.kind) {
        case Kind::kOpen:
          text += "open " + server + " ";
          break;
        case Kind::kSend:
          text += "send " + server + "/" + std::to_string(action.request->request_id) + " ";
          session_ = action.request->session;
          break;
        case Kind::kComplete:
          text += "done " + server + "/" + std::to_string(action.request->request_id) + " ";
          break;
      }
    }
    return text;
  }
  static std::string Repeat(const std::string& word, uint32_t times) {
    std::string text;
    for (uint32_t i = 0; i < times; ++i) text += word + " " + std::to_string(i) + " ";
    return text;
  }
  void Submit(uint32_t server, ExchangeRequest request) {
    core_->Submit(server, std::move(request), now_, &actions_);
  }
  static ExchangeRequest PushPull(uint64_t step) {
    ExchangeRequest request;
    request.step = step;
    request.final = true;
    request.pull_version = step + 1;
    request.pull_applied = true;
    return request;
  }
  static ExchangeRequest Gradient(size_t floats) {
    static const std::vector<float> values(1000);
    ExchangeRequest request;
    request.task = 1;
    request.contributions.push_back({0, 0, Payload(std::span(values).first(floats), nullptr)});
    return request;
  }
  absl::Status Reply(uint32_t server, uint64_t id, absl::StatusCode code = absl::StatusCode::kOk,
                     const std::string& message = "", bool retry_later = false) {
    ExchangeReply reply;
    reply.request_id = id;
    reply.code = code;
    reply.message = message;
    reply.retry_later = retry_later;
    return core_->OnReply(server, std::move(reply), now_, &actions_);
  }
  absl::Status Tick(absl::Duration later) {
    now_ += later;
    return core_->Tick(now_, &actions_);
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  std::unique_ptr<ClientCore> core_;
  ClientCore::Actions actions_;
  uint64_t session_ = 0;  // of the last request sent
};

TEST_F(ClientCoreTest, RequestsAreNumberedStampedAndMatchedWithReplies) {
  Make(1);
  Submit(0, {});
  ASSERT_EQ(actions_.size(), 1u);
  const ExchangeRequest& sent = *actions_[0].request;
  EXPECT_EQ(sent.job_id, 5u);
  EXPECT_EQ(sent.generation, 6u);
  EXPECT_EQ(sent.worker, 7u);
  EXPECT_EQ(sent.session, 1u);
  Submit(0, {});
  EXPECT_EQ(Take(), "send 0/1 send 0/2 ");
  EXPECT_TRUE(Reply(0, 2).ok());
  EXPECT_EQ(Take(), "done 0/2 ") << "in any order";
  EXPECT_FALSE(core_->idle());
  EXPECT_TRUE(Reply(0, 2).ok()) << "answered before";
  EXPECT_TRUE(Reply(0, 99).ok());
  EXPECT_TRUE(Reply(0, 99, absl::StatusCode::kResourceExhausted, "", /*retry_later=*/true).ok());
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(Reply(0, 1).ok());
  EXPECT_TRUE(core_->idle());
}

TEST_F(ClientCoreTest, NothingIsSentBeforeTheStreamIsOpen) {
  Make(2);
  core_->OnClosed(1, absl::UnavailableError("gone"), now_);
  EXPECT_FALSE(core_->connected());
  Submit(1, {});
  Submit(0, {});
  EXPECT_EQ(Take(), "send 0/2 ");
  EXPECT_TRUE(Tick(absl::Milliseconds(20)).ok());
  EXPECT_EQ(Take(), "open 1 ");
  core_->OnOpened(1, now_, &actions_);
  EXPECT_EQ(Take(), "send 1/1 ");
  EXPECT_EQ(session_, 2u);
}

TEST_F(ClientCoreTest, UnansweredRequestsAreSentAgainInOrderInALargerSession) {
  Make(1);
  for (int i = 0; i < 4; ++i) Submit(0, {});
  EXPECT_TRUE(Reply(0, 2).ok());
  EXPECT_TRUE(Reply(0, 3, absl::StatusCode::kUnavailable).ok());
  Take();
  core_->OnClosed(0, absl::UnavailableError("gone"), now_);
  Submit(0, {});
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(Tick(absl::Milliseconds(20)).ok());
  EXPECT_EQ(Take(), "open 0 ") << "and no retry on a closed stream";
  core_->OnOpened(0, now_, &actions_);
  EXPECT_EQ(Take(), "send 0/1 send 0/3 send 0/4 send 0/5 ");
  EXPECT_EQ(session_, 2u);
  EXPECT_TRUE(Tick(absl::Milliseconds(20)).ok());
  EXPECT_EQ(Take(), "") << "request 3 is not due again";
}

// A server with no block of the model is asked for weights all the same, and nobody waits for its
// answer: the training would take steps before the server is asked again.
TEST_F(ClientCoreTest, NothingOvertakesARequestForWhichAServerWasNotReady) {
  Make(2);
  ExchangeRequest pull;
  pull.pull_applied = true;
  Submit(0, pull);
  Submit(1, pull);
  Submit(0, PushPull(0));
  Submit(1, PushPull(0));
  Take();
  EXPECT_TRUE(Reply(0, 1).ok());
  EXPECT_TRUE(Reply(1, 2, absl::StatusCode::kUnavailable).ok());
  EXPECT_TRUE(Reply(0, 3).ok());
  EXPECT_TRUE(Reply(1, 4).ok());  // it was ready in between
  Submit(0, PushPull(1));
  Submit(1, PushPull(1));
  EXPECT_EQ(Take(), "done 0/1 done 0/3 done 1/4 send 0/5 ");
  EXPECT_TRUE(Tick(absl::Milliseconds(2)).ok());
  EXPECT_EQ(Take(), "send 1/2 ");
  EXPECT_TRUE(Reply(1, 2).ok());
  EXPECT_EQ(Take(), "done 1/2 send 1/6 ");
}

TEST_F(ClientCoreTest, ReconnectsBackOffUpToASecondAndStartAnewAfterSuccess) {
  Make(1);
  for (int64_t wait : {20, 40, 80, 160, 320, 640, 1000, 1000}) {
    core_->OnClosed(0, absl::UnavailableError("refused"), now_);
    EXPECT_EQ(core_->NextDeadline(), now_ + absl::Milliseconds(wait));
    EXPECT_TRUE(Tick(absl::Milliseconds(wait - 1)).ok());
    EXPECT_EQ(Take(), "");
    EXPECT_TRUE(Tick(absl::Milliseconds(1)).ok());
    EXPECT_EQ(Take(), "open 0 ");
  }
  core_->OnOpened(0, now_, &actions_);
  core_->OnClosed(0, absl::UnavailableError("refused"), now_);
  EXPECT_EQ(core_->NextDeadline(), now_ + absl::Milliseconds(20));
}

TEST_F(ClientCoreTest, AServerOutOfReachIsGivenUpAndNamed) {
  Make(2);
  core_->OnClosed(1, absl::UnavailableError("connection refused"), now_);
  EXPECT_TRUE(Tick(absl::Milliseconds(9999)).ok());
  const absl::Status status = Tick(absl::Milliseconds(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(),
            "worker 7 cannot reach server 1 at 127.0.0.1:4001 for 10s: connection refused");
}

TEST_F(ClientCoreTest, ARequestThatIsNeverAnsweredIsAnError) {
  Make(1);
  Submit(0, {});
  Submit(0, {});
  EXPECT_EQ(core_->NextDeadline(), now_ + absl::Seconds(70));
  EXPECT_TRUE(Tick(absl::Seconds(69)).ok());
  const absl::Status status = Tick(absl::Seconds(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "server 0 at 127.0.0.1:4000 has not answered request 1 for 1m10s");
}

TEST_F(ClientCoreTest, AServerThatSaysItIsNotReadyIsWaitedForAndWhatItSaidIsKept) {
  Make(1);
  Submit(0, {});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Tick(absl::Seconds(60)).ok()) << i;
    EXPECT_TRUE(Reply(0, 1, absl::StatusCode::kUnavailable, "loads a checkpoint").ok());
  }
  EXPECT_TRUE(Tick(absl::Seconds(69)).ok());
  EXPECT_EQ(Tick(absl::Seconds(1)).message(),
            "server 0 at 127.0.0.1:4000 has not answered request 1 for 1m10s; it last said: loads "
            "a checkpoint");
}

TEST_F(ClientCoreTest, RetryLaterIsSentAgainAfterTheDelay) {
  Make(1);
  Submit(0, {});
  Take();
  EXPECT_TRUE(Reply(0, 1, absl::StatusCode::kResourceExhausted, "full", /*retry_later=*/true).ok());
  EXPECT_EQ(core_->NextDeadline(), now_ + absl::Milliseconds(2));
  EXPECT_TRUE(Tick(absl::Milliseconds(1)).ok());
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(Tick(absl::Milliseconds(1)).ok());
  EXPECT_EQ(Take(), "send 0/1 ");
  EXPECT_TRUE(Tick(absl::Milliseconds(100)).ok());
  EXPECT_EQ(Take(), "") << "once for each refusal";
}

TEST_F(ClientCoreTest, WhatAServerRefusesIsReportedWithItsName) {
  Make(2);
  Submit(1, {});
  const absl::Status status = Reply(1, 1, absl::StatusCode::kInvalidArgument, "got 12 values");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "server 1 at 127.0.0.1:4001: got 12 values");
}

TEST_F(ClientCoreTest, SyncHoldsBackAStepUntilEveryServerHasAppliedTheOneBefore) {
  Make(3);
  for (uint32_t s = 0; s < 3; ++s) Submit(s, PushPull(0));
  Submit(0, PushPull(1));
  EXPECT_EQ(Take(), "send 0/1 send 1/2 send 2/3 ");
  EXPECT_TRUE(Reply(0, 1).ok());
  EXPECT_TRUE(Reply(1, 2).ok());
  EXPECT_EQ(Take(), "done 0/1 done 1/2 ") << "server 2, of which nothing may be needed, has not";
  Submit(1, PushPull(1));
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(Reply(2, 3).ok());
  EXPECT_EQ(Take(), "done 2/3 send 0/4 send 1/5 ");
}

TEST_F(ClientCoreTest, SyncPullsDoNotOvertakeAPushThatIsHeldBack) {
  Make(2);
  for (uint32_t s = 0; s < 2; ++s) Submit(s, PushPull(0));
  Submit(0, PushPull(1));
  ExchangeRequest pull;
  pull.pull_cells = {0};
  Submit(0, pull);
  EXPECT_EQ(Take(), "send 0/1 send 1/2 ");
  Submit(1, pull);
  EXPECT_EQ(Take(), "send 1/5 ") << "a pull alone is not held back";
}

TEST_F(ClientCoreTest, ThePullOfTheNewestVersionAcknowledgesNothing) {
  Make(1);
  ExchangeRequest newest;
  newest.pull_version = kNewestVersion;
  newest.pull_applied = true;
  Submit(0, newest);
  EXPECT_TRUE(Reply(0, 1).ok());
  Take();
  Submit(0, PushPull(1));
  EXPECT_EQ(Take(), "") << "step 0 has not been acknowledged";
}

TEST_F(ClientCoreTest, TasksKeepAWindowOfGradientBytesUnderWay) {
  Make(2, kAsync);
  Submit(0, Gradient(15));  // 60 of 100 bytes
  Submit(0, Gradient(10));  // 100
  Submit(0, Gradient(1));
  Submit(1, Gradient(15));
  EXPECT_EQ(Take(), "send 0/1 send 0/2 send 1/4 ") << "a window for each server";
  EXPECT_TRUE(Reply(0, 2).ok());
  EXPECT_EQ(Take(), "done 0/2 send 0/3 ");
  EXPECT_TRUE(Reply(0, 3).ok());
  EXPECT_TRUE(Reply(0, 1).ok());
  Take();
  Submit(0, Gradient(1000));  // larger than the window: alone
  Submit(0, Gradient(1));
  EXPECT_EQ(Take(), "send 0/5 ");
  EXPECT_TRUE(Reply(0, 5).ok());
  EXPECT_EQ(Take(), "done 0/5 send 0/6 ");
}

TEST_F(ClientCoreTest, ResentGradientsAreInTheWindowOnce) {
  Make(1, kAsync);
  Submit(0, Gradient(20));  // 80 bytes
  core_->OnClosed(0, absl::UnavailableError("gone"), now_);
  EXPECT_TRUE(Tick(absl::Milliseconds(20)).ok());
  core_->OnOpened(0, now_, &actions_);
  Take();
  EXPECT_TRUE(Reply(0, 1).ok());
  Submit(0, Gradient(20));
  Submit(0, Gradient(5));
  EXPECT_EQ(Take(), "done 0/1 send 0/2 send 0/3 ") << "80 + 20 = 100";
}

}  // namespace
}  // namespace convoy
