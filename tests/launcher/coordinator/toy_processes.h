// Servers and workers of a job without any training, as threads: they do nothing but speak to the
// coordinator as real ones do.
#ifndef CONVOY_TESTS_LAUNCHER_COORDINATOR_TOY_PROCESSES_H_
#define CONVOY_TESTS_LAUNCHER_COORDINATOR_TOY_PROCESSES_H_

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {

// A clock that tests set; read by other threads.
class SettableClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixMillis(millis_); }
  void Advance(absl::Duration duration) { millis_ += absl::ToInt64Milliseconds(duration); }

 private:
  std::atomic<int64_t> millis_{1'000'000};
};

inline std::unique_ptr<CoordinatorClient> ConnectTo(const std::string& address) {
  auto client = CoordinatorClient::Connect({.address = address});
  EXPECT_TRUE(client.ok()) << client.status();
  return client.ok() ? *std::move(client) : nullptr;
}

// All steps of all workers pass here, as the servers of a sync job make them.
class StepBarrier {
 public:
  explicit StepBarrier(int workers) : workers_(workers) {}
  void Arrive() CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const uint64_t round = round_;
    if (++arrived_ == workers_) {
      arrived_ = 0;
      ++round_;
      changed_.NotifyAll();
    }
    while (round_ == round) changed_.Wait(mutex_);
  }

 private:
  const int workers_;
  Mutex mutex_;
  CondVar changed_;
  int arrived_ CONVOY_GUARDED_BY(mutex_) = 0;
  uint64_t round_ CONVOY_GUARDED_BY(mutex_) = 0;
};

class ToyProcess {
 public:
  ToyProcess(std::string address, v1::Role role, uint32_t rank)
      : address_(std::move(address)), role_(role), rank_(rank) {}
  virtual ~ToyProcess() { Join(); }

  // Runs in a thread of its own until the job has ended.
  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  // The last answer to a heartbeat.
  v1::HeartbeatReply last() const {
    MutexLock lock(mutex_);
    return last_;
  }

 protected:
  virtual v1::ReadyRequest Setup() const { return {}; }
  virtual void Train(const v1::Assignment&) {}
  virtual void FillLocked(v1::HeartbeatRequest*) CONVOY_REQUIRES(mutex_) {}

  CoordinatorClient& client() { return *client_; }
  bool EndedLocked() const CONVOY_REQUIRES(mutex_) {
    return last_.phase() == v1::DONE || last_.phase() == v1::FAILED;
  }

  mutable Mutex mutex_;
  CondVar changed_;
  v1::HeartbeatReply last_ CONVOY_GUARDED_BY(mutex_);

 private:
  void Run() {
    client_ = ConnectTo(address_);
    v1::RegisterRequest request;
    request.set_role(role_);
    request.set_wanted_rank(static_cast<int32_t>(rank_));
    if (role_ == v1::SERVER) request.set_address("127.0.0.1:9");
    const auto registered = client_->Register(request);
    ASSERT_TRUE(registered.ok()) << registered.status();
    client_->StartHeartbeats(
        absl::Milliseconds(100),
        [this](v1::HeartbeatRequest* beat) {
          MutexLock lock(mutex_);
          FillLocked(beat);
        },
        [this](const absl::StatusOr<v1::HeartbeatReply>& reply) {
          EXPECT_TRUE(reply.ok()) << reply.status();
          MutexLock lock(mutex_);
          if (reply.ok()) last_ = *reply;
          changed_.NotifyAll();
        });
    const auto assignment = client_->Ready(Setup());
    if (assignment.ok()) Train(*assignment);
    MutexLock lock(mutex_);
    while (!EndedLocked()) changed_.Wait(mutex_);
  }

  const std::string address_;
  const v1::Role role_;
  const uint32_t rank_;
  std::unique_ptr<CoordinatorClient> client_;
  std::thread thread_;
};

class ToyServer final : public ToyProcess {
 public:
  ToyServer(std::string address, uint32_t rank)
      : ToyProcess(std::move(address), v1::SERVER, rank) {}
  ~ToyServer() override { Join(); }
};

// Takes empty steps and reports every two of them. Ends early when a stop is agreed on.
class ToyWorker final : public ToyProcess {
 public:
  ToyWorker(std::string address, uint32_t rank, uint64_t examples, StepBarrier* barrier)
      : ToyProcess(std::move(address), v1::WORKER, rank), examples_(examples), barrier_(barrier) {}
  ~ToyWorker() override { Join(); }

  // Fails with `text` at step `step`.
  void FailAt(uint64_t step, std::string text) {
    fail_at_ = step;
    fail_text_ = std::move(text);
  }
  // Steps taken; after Join.
  uint64_t steps() const { return steps_; }

 private:
  v1::ReadyRequest Setup() const override { return MakeSetup(examples_, 0); }

  void FillLocked(v1::HeartbeatRequest* beat) override CONVOY_REQUIRES(mutex_) {
    beat->set_step(step_);
    beat->set_finished(finished_);
    if (step_ < last_.stop_step()) beat->set_stop_confirmed(last_.stop_step());
  }

  // Whether step `step` may begin; waits while that is being agreed on.
  bool Begin(uint64_t step) CONVOY_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (last_.stop_step() != 0 && step >= last_.stop_step() && !last_.stop_agreed() &&
           !EndedLocked()) {
      changed_.Wait(mutex_);
    }
    if (EndedLocked() || (last_.stop_step() != 0 && step >= last_.stop_step())) return false;
    step_ = step;
    return true;
  }

  void Train(const v1::Assignment& assignment) override {
    const v1::Training& training = assignment.job().training();
    const uint64_t total = training.epochs() * examples_ / training.batch_size();
    for (steps_ = 0; steps_ < total && Begin(steps_); ++steps_) {
      if (steps_ == fail_at_) return Fail();
      barrier_->Arrive();
      if (steps_ % 2 == 1) Report(assignment, steps_ - 1, steps_ + 1);
    }
    if (steps_ % 2 == 1) Report(assignment, steps_ - 1, steps_);
    {
      MutexLock lock(mutex_);
      finished_ = true;
    }
    client().HeartbeatNow();
  }

  void Report(const v1::Assignment& assignment, uint64_t begin, uint64_t end) {
    v1::ReportRequest report;
    report.set_part(assignment.slice_begin());
    report.set_step_begin(begin);
    report.set_step_end(end);
    *report.mutable_sums() = MakeSums(2 * (end - begin), 1);
    const absl::Status status = client().Report(report);
    // The other worker may have failed while this report was under way.
    const bool refused = fail_at_ != UINT64_MAX &&
                         status.code() == absl::StatusCode::kFailedPrecondition &&
                         absl::StrContains(status.message(), "the job has failed: ");
    EXPECT_TRUE(status.ok() || refused) << status;
  }

  void Fail() {
    v1::HeartbeatRequest last_words;
    last_words.set_failure(fail_text_);
    EXPECT_TRUE(client().Heartbeat(last_words).ok());
  }

  const uint64_t examples_;
  StepBarrier* const barrier_;
  uint64_t fail_at_ = UINT64_MAX;
  std::string fail_text_;
  uint64_t steps_ = 0;
  uint64_t step_ CONVOY_GUARDED_BY(mutex_) = 0;
  bool finished_ CONVOY_GUARDED_BY(mutex_) = false;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_LAUNCHER_COORDINATOR_TOY_PROCESSES_H_
