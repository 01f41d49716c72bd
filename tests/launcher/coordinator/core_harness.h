// Drives a JournaledCore under a clock that tests set, and keeps what it answers. Whatever a test
// does, the journal must lead to the same in the end.
#ifndef CONVOY_TESTS_LAUNCHER_COORDINATOR_CORE_HARNESS_H_
#define CONVOY_TESTS_LAUNCHER_COORDINATOR_CORE_HARNESS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/journaled_core.h"
#include "tests/testing/run_program.h"

namespace convoy {

inline constexpr uint64_t kJobId = 77;

inline v1::Job MakeJob(const std::string& mode, uint32_t servers, uint32_t workers) {
  v1::Job job;
  job.set_name("toy");
  job.mutable_cluster()->set_servers(servers);
  job.mutable_cluster()->set_workers(workers);
  job.mutable_training()->set_mode(mode);
  job.mutable_training()->set_batch_size(4);
  return job;
}

inline v1::ReadyRequest MakeSetup(uint64_t examples, uint64_t validation_examples) {
  v1::ReadyRequest setup;
  v1::Variable& variable = *setup.add_variables();
  variable.set_name("weight");
  variable.add_shape(3);
  setup.mutable_data()->set_examples(examples);
  setup.mutable_data()->set_validation_examples(validation_examples);
  setup.mutable_data()->set_features(3);
  setup.mutable_data()->set_classes(2);
  setup.mutable_data()->set_fingerprint(5);
  return setup;
}

// Sums of a regression, which need no more than these.
inline v1::MetricSums MakeSums(uint64_t examples, double loss) {
  v1::MetricSums sums;
  sums.set_examples(examples);
  sums.set_loss(loss);
  sums.set_squared_error(loss);
  return sums;
}

class CoreHarness {
 public:
  explicit CoreHarness(const v1::Job& job)
      : CoreHarness(CoordinatorCore::Options{job, kJobId, absl::UnixEpoch()}) {}
  // The job's id and the start are the harness's.
  explicit CoreHarness(CoordinatorCore::Options options) {
    options.job_id = kJobId;
    if (options.resume) generation_ = options.resume->manifest.generation + 1;
    options.start = now_;
    admits_ = options.admit != nullptr;
    plans_ = options.plan_init != nullptr;
    auto created = JournaledCore::Create(std::move(options), journal_);
    EXPECT_TRUE(created.ok()) << created.status();
    core_ = *std::move(created);
  }
  ~CoreHarness() { ExpectThatAnotherOneIsTheSame(); }
  CoreHarness(const CoreHarness&) = delete;
  CoreHarness& operator=(const CoreHarness&) = delete;

  const CoordinatorCore& core() const { return core_->core(); }
  v1::GetProgressReply Look() { return core_->Look(0, now_); }
  absl::Time now() const { return now_; }
  // Moves the clock and lets what is due happen.
  void Advance(absl::Duration duration) {
    now_ += duration;
    Apply(core_->Tick(now_));
  }

  // Each makes a call and returns its id.
  CallId Register(const v1::RegisterRequest& request) {
    Tell(&CoordinatorCore::OnRegister, request);
    return last_call_;
  }
  CallId Ready(const v1::ReadyRequest& request) {
    Tell(&CoordinatorCore::OnReady, request);
    return last_call_;
  }
  CallId Heartbeat(const v1::HeartbeatRequest& request) {
    Tell(&CoordinatorCore::OnHeartbeat, request);
    return last_call_;
  }
  CallId NextTask(uint32_t worker, uint64_t completed, uint32_t wait_ms = 500) {
    v1::NextTaskRequest request;
    *request.mutable_identity() = Identity(v1::WORKER, worker);
    request.set_completed(completed);
    request.set_wait_ms(wait_ms);
    Tell(&CoordinatorCore::OnNextTask, request);
    return last_call_;
  }
  CallId NextTaskAhead(uint32_t worker, uint64_t completed) {
    v1::NextTaskRequest request;
    *request.mutable_identity() = Identity(v1::WORKER, worker);
    request.set_completed(completed);
    request.set_ahead(true);
    Tell(&CoordinatorCore::OnNextTask, request);
    return last_call_;
  }
  CallId Report(uint32_t worker, v1::ReportRequest request) {
    *request.mutable_identity() = Identity(v1::WORKER, worker);
    Tell(&CoordinatorCore::OnReport, request);
    return last_call_;
  }
  CallId GetProgress(uint64_t events_seen, uint64_t seen, uint32_t wait_ms = 500,
                     uint64_t job_id = 0) {
    v1::GetProgressRequest request;
    request.set_job_id(job_id);
    request.set_events_seen(events_seen);
    request.set_seen(seen);
    request.set_wait_ms(wait_ms);
    Tell(&CoordinatorCore::OnGetProgress, request);
    return last_call_;
  }
  CallId Stop(const std::string& reason = "Ctrl-C") {
    v1::StopRequest request;
    request.set_reason(reason);
    Tell(&CoordinatorCore::OnStop, request);
    return last_call_;
  }
  CallId ProcessLost(const v1::ProcessLostRequest& request) {
    Tell(&CoordinatorCore::OnProcessLost, request);
    return last_call_;
  }
  CallId Scale(uint32_t workers) {
    v1::ScaleRequest request;
    request.set_workers(workers);
    Tell(&CoordinatorCore::OnScale, request);
    return last_call_;
  }
  CallId SaveCheckpoint() {
    v1::SaveCheckpointRequest request;
    request.set_wait_ms(500);
    Tell(&CoordinatorCore::OnSaveCheckpoint, request);
    return last_call_;
  }
  void ModelSaved(const absl::Status& status) { Apply(core_->OnModelSaved(status, now_)); }
  // The outcome of the newest commit().
  void Committed(const absl::Status& status) { Apply(core_->OnCheckpointCommitted(status, now_)); }
  void Fail(const std::string& text) { Apply(core_->Fail(text, now_)); }
  // Moves the clock, which nobody looks at.
  void Pass(absl::Duration duration) { now_ += duration; }
  // As if the last bytes of the journal had not been written.
  void CutJournal(uint64_t bytes) {
    std::filesystem::resize_file(journal_, std::filesystem::file_size(journal_) - bytes);
  }
  void ForgetToSave() { to_save_.reset(); }
  void Cancel(CallId call) { core_->OnCancelled(call, now_); }
  // The process of the coordinator dies, and another one goes on from its journal.
  void Replace(AdmitFunction admit = {}, PlanInitFunction plan_init = {}) {
    core_.reset();
    auto recovered = JournaledCore::Recover(journal_, std::move(admit), std::move(plan_init), now_);
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    core_ = *std::move(recovered);
    EXPECT_GE(last_call_, core_->last_call());
    Actions outstanding = core_->TakeOutstanding();
    outstanding.events = core_->TakeLines();
    ASSERT_GE(outstanding.events.size(), events_.size());
    for (const std::string& line : events_) {
      EXPECT_EQ(outstanding.events.front(), line);
      outstanding.events.erase(outstanding.events.begin());
    }
    Apply(std::move(outstanding));
  }

  bool answered(CallId call) const { return answers_.contains(call); }
  // The answer of a call; a default reply and a failure of the test if there is none of that type.
  template <typename Reply>
  Reply Answer(CallId call) const {
    const auto it = answers_.find(call);
    const Reply* reply = it == answers_.end() ? nullptr : std::get_if<Reply>(&it->second);
    EXPECT_NE(reply, nullptr) << "call " << call << ": " << Describe(call);
    return reply == nullptr ? Reply() : *reply;
  }
  // Why a call was refused; OK if it was not.
  absl::Status Error(CallId call) const {
    const auto it = answers_.find(call);
    const auto* status = it == answers_.end() ? nullptr : std::get_if<absl::Status>(&it->second);
    return status == nullptr ? absl::OkStatus() : *status;
  }
  std::string Describe(CallId call) const {
    if (!answered(call)) return "parked";
    return Error(call).ok() ? "another reply" : Error(call).ToString();
  }

  const std::vector<std::string>& events() const { return events_; }
  nlohmann::json event(size_t index) const { return nlohmann::json::parse(events_.at(index)); }
  const std::optional<v1::Assignment>& to_save() const { return to_save_; }
  const std::string& model_from() const { return model_from_; }
  // The newest checkpoint to commit.
  const std::optional<Actions::Commit>& commit() const { return commit_; }
  nlohmann::json summary() const { return nlohmann::json::parse(core().summary()); }

  // ---- whole processes

  // Of all that join from now on; at first they are clients in another language, which have none.
  void set_build_id(const std::string& build_id) { build_id_ = build_id; }

  // Worker r is process 100 + r from now on.
  void set_pids() { pids_ = true; }

  void Join(v1::Role role, uint32_t rank, const std::string& host = "") {
    v1::RegisterRequest request;
    if (pids_ && role == v1::WORKER) request.set_pid(100 + rank);
    request.set_host(host);
    request.set_build_id(build_id_);
    request.set_role(role);
    request.set_wanted_rank(static_cast<int32_t>(rank));
    if (role == v1::SERVER) request.set_address("127.0.0.1:" + std::to_string(5000 + rank));
    identities_[{role, rank}] = Answer<v1::RegisterReply>(Register(request)).identity();
  }
  // Calls of that process come from this one from now on.
  void Adopt(v1::Role role, uint32_t rank, const v1::Identity& identity) {
    identities_[{role, rank}] = identity;
  }
  CallId MakeReady(v1::Role role, uint32_t rank, v1::ReadyRequest setup = {}) {
    *setup.mutable_identity() = identities_[{role, rank}];
    return Ready(setup);
  }
  v1::Identity Identity(v1::Role role, uint32_t rank) {
    v1::Identity identity = identities_[{role, rank}];
    if (core().phase() != v1::STARTING) identity.set_generation(generation_);
    return identity;
  }
  v1::HeartbeatRequest Beat(v1::Role role, uint32_t rank, uint64_t step = 0) {
    v1::HeartbeatRequest request;
    *request.mutable_identity() = Identity(role, rank);
    request.set_step(step);
    return request;
  }
  // A heartbeat that is answered at once.
  v1::HeartbeatReply BeatNow(const v1::HeartbeatRequest& request) {
    return Answer<v1::HeartbeatReply>(Heartbeat(request));
  }
  v1::HeartbeatReply Finish(uint32_t worker, uint64_t step) {
    v1::HeartbeatRequest request = Beat(v1::WORKER, worker, step);
    request.set_finished(true);
    return BeatNow(request);
  }
  // Everybody registers and is ready.
  void StartAll(uint32_t servers, uint32_t workers, const v1::ReadyRequest& setup) {
    for (uint32_t i = 0; i < servers; ++i) Join(v1::SERVER, i);
    for (uint32_t i = 0; i < workers; ++i) Join(v1::WORKER, i);
    for (uint32_t i = 0; i < servers; ++i) MakeReady(v1::SERVER, i);
    for (uint32_t i = 0; i < workers; ++i) MakeReady(v1::WORKER, i, setup);
    EXPECT_EQ(core().phase(), v1::TRAINING) << core().failure();
  }

 private:
  template <typename Request>
  void Tell(Actions (CoordinatorCore::*handler)(CallId, const Request&, absl::Time),
            const Request& request) {
    Apply(core_->On(handler, ++last_call_, request, now_));
  }

  // At the end of every test: who reads the journal has what was written down of everything.
  void ExpectThatAnotherOneIsTheSame() {
    if (core_ == nullptr) return;
    const v1::GetProgressReply mine = Look();
    const uint64_t sequence = core().sequence();
    const std::string summary = core().summary();
    core_.reset();
    const auto never = [](auto&&...) {
      ADD_FAILURE() << "the journal has the answer";
      return absl::InternalError("asked again");
    };
    const auto another =
        JournaledCore::Recover(journal_, admits_ ? AdmitFunction(never) : AdmitFunction(),
                               plans_ ? PlanInitFunction(never) : PlanInitFunction(), now_);
    ASSERT_TRUE(another.ok()) << another.status();
    EXPECT_EQ((*another)->core().sequence(), sequence);
    EXPECT_EQ((*another)->core().summary(), summary);
    v1::GetProgressReply its = (*another)->Look(0, now_);
    // It has said that it is another one.
    its.set_sequence(mine.sequence());
    its.set_events_seen(mine.events_seen());
    while (its.events_size() > mine.events_size()) its.mutable_events()->RemoveLast();
    EXPECT_EQ(its.DebugString(), mine.DebugString());
  }

  void Apply(Actions actions) {
    for (auto& answer : actions.answers) {
      EXPECT_FALSE(answers_.contains(answer.call)) << "call " << answer.call << " answered twice";
      answers_[answer.call] = std::move(answer.reply);
    }
    std::move(actions.events.begin(), actions.events.end(), std::back_inserter(events_));
    if (actions.save_model) {
      to_save_ = std::move(actions.save_model);
      model_from_ = actions.model_from;
    }
    if (actions.commit) commit_ = std::move(actions.commit);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  testing::TemporaryFolder folder_;
  const std::string journal_ = folder_ / "coordinator.journal";
  std::unique_ptr<JournaledCore> core_;
  bool admits_ = false, plans_ = false, pids_ = false;
  CallId last_call_ = 0;
  uint64_t generation_ = 1;
  std::string build_id_;
  std::map<CallId, Actions::Reply> answers_;
  std::vector<std::string> events_;
  std::optional<v1::Assignment> to_save_;
  std::string model_from_;
  std::optional<Actions::Commit> commit_;
  std::map<std::pair<v1::Role, uint32_t>, v1::Identity> identities_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_LAUNCHER_COORDINATOR_CORE_HARNESS_H_
