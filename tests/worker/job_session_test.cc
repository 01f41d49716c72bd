// A worker's session with a coordinator that is told what to say.
#include "worker/job_session.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/mutex.h"
#include "tests/testing/test_coordinator.h"

namespace convoy {
namespace {

constexpr uint64_t kSessionJob = 78;

class HeartbeatCoordinator final : public testing::TrainingCoordinator {
 public:
  using Answer = std::function<void(const v1::HeartbeatRequest&, v1::HeartbeatReply*)>;

  explicit HeartbeatCoordinator(Answer answer)
      : TrainingCoordinator(kSessionJob), answer_(std::move(answer)) {
    Start();
  }
  ~HeartbeatCoordinator() override { Shutdown(); }

  std::vector<v1::HeartbeatRequest> heard() const {
    MutexLock lock(mutex_);
    return heard_;
  }

 private:
  void OnHeartbeat(const v1::HeartbeatRequest& request, v1::HeartbeatReply* reply) override {
    MutexLock lock(mutex_);
    heard_.push_back(request);
    answer_(request, reply);
  }

  const Answer answer_;
  mutable Mutex mutex_;
  std::vector<v1::HeartbeatRequest> heard_ CONVOY_GUARDED_BY(mutex_);
};

class JobSessionTest : public ::testing::Test {
 protected:
  void Start(HeartbeatCoordinator::Answer answer, absl::Duration period = absl::Milliseconds(10)) {
    coordinator_.emplace(std::move(answer));
    client_ = *CoordinatorClient::Connect(
        {.address = coordinator_->address(), .unreachable_after = absl::Seconds(60)});
    ASSERT_TRUE(client_->Register({}).ok());
    session_.emplace(client_.get(), JobSession::Options{.heartbeat = period});
  }
  static void Await(const std::function<bool()>& condition) {
    while (!condition()) absl::SleepFor(absl::Milliseconds(1));
  }

  std::optional<HeartbeatCoordinator> coordinator_;
  std::unique_ptr<CoordinatorClient> client_;
  std::optional<JobSession> session_;
};

TEST_F(JobSessionTest, AWorkerThatFailsSaysWhy) {
  Start([](const v1::HeartbeatRequest&, v1::HeartbeatReply*) {});
  session_->Fail(absl::UnavailableError("server 1 can't be reached"));
  const v1::HeartbeatRequest last = coordinator_->heard().back();
  EXPECT_EQ(last.failure(), "server 1 can't be reached");
  EXPECT_TRUE(last.unreachable()) << "it is not its own fault";
  EXPECT_FALSE(session_->registers_again());
}

// The coordinator has ended by then, and would be waited for.
TEST_F(JobSessionTest, OfAJobThatHasFailedNothingMoreIsSaid) {
  Start([](const v1::HeartbeatRequest&, v1::HeartbeatReply* reply) {
    reply->set_phase(v1::FAILED);
    reply->set_failure("worker 1 was killed");
  });
  Await([&] { return !session_->alive().ok(); });
  EXPECT_EQ(session_->alive().message(), "worker 1 was killed");
  session_->Fail(absl::AbortedError("the stream was cut"));
  EXPECT_EQ(coordinator_->heard().size(), 1u);
}

// A server has refused the worker before it heard that the slices were divided anew.
TEST_F(JobSessionTest, ARefusalThatComesBeforeTheWordOfADivisionIsNoFailure) {
  Start([](const v1::HeartbeatRequest& request, v1::HeartbeatReply* reply) {
    reply->set_register_again(!request.failure().empty());
  });
  EXPECT_FALSE(session_->registers_again());
  session_->Fail(absl::AbortedError("another process has taken its place"));
  EXPECT_TRUE(session_->registers_again());
}

TEST_F(JobSessionTest, WhoIsToRegisterAgainDoesNotAskWithoutPause) {
  Start([](const v1::HeartbeatRequest&,
           v1::HeartbeatReply* reply) { reply->set_register_again(true); },
        absl::Hours(1));
  Await([&] { return session_->registers_again(); });
  client_->HeartbeatNow();
  Await([&] { return coordinator_->heard().size() >= 2; });
  absl::SleepFor(absl::Milliseconds(50));  // many more would have come
  EXPECT_LE(coordinator_->heard().size(), 3u);
}

}  // namespace
}  // namespace convoy
