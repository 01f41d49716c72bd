// Drives a CoordinatorCore under a clock that tests set, and keeps what it answers.
#ifndef CONVOY_TESTS_LAUNCHER_COORDINATOR_CORE_HARNESS_H_
#define CONVOY_TESTS_LAUNCHER_COORDINATOR_CORE_HARNESS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/coordinator/coordinator_core.h"

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
    auto created = CoordinatorCore::Create(std::move(options));
    EXPECT_TRUE(created.ok()) << created.status();
    core_ = *std::move(created);
  }

  CoordinatorCore& core() { return *core_; }
  absl::Time now() const { return now_; }
  // Moves the clock and lets what is due happen.
  void Advance(absl::Duration duration) {
    now_ += duration;
    Apply(core_->Tick(now_));
  }

  // Each makes a call and returns its id.
  CallId Register(const v1::RegisterRequest& request) {
    Apply(core_->OnRegister(++last_call_, request, now_));
    return last_call_;
  }
  CallId Ready(const v1::ReadyRequest& request) {
    Apply(core_->OnReady(++last_call_, request, now_));
    return last_call_;
  }
  CallId Heartbeat(const v1::HeartbeatRequest& request) {
    Apply(core_->OnHeartbeat(++last_call_, request, now_));
    return last_call_;
  }
  CallId NextTask(uint32_t worker, uint64_t completed, uint32_t wait_ms = 500) {
    v1::NextTaskRequest request;
    *request.mutable_identity() = Identity(v1::WORKER, worker);
    request.set_completed(completed);
    request.set_wait_ms(wait_ms);
    Apply(core_->OnNextTask(++last_call_, request, now_));
    return last_call_;
  }
  CallId Report(uint32_t worker, v1::ReportRequest request) {
    *request.mutable_identity() = Identity(v1::WORKER, worker);
    Apply(core_->OnReport(++last_call_, request, now_));
    return last_call_;
  }
  CallId GetProgress(uint64_t events_seen, uint64_t seen, uint32_t wait_ms = 500) {
    v1::GetProgressRequest request;
    request.set_events_seen(events_seen);
    request.set_seen(seen);
    request.set_wait_ms(wait_ms);
    Apply(core_->OnGetProgress(++last_call_, request, now_));
    return last_call_;
  }
  CallId Stop(const std::string& reason = "Ctrl-C") {
    v1::StopRequest request;
    request.set_reason(reason);
    Apply(core_->OnStop(++last_call_, request, now_));
    return last_call_;
  }
  CallId ProcessLost(const v1::ProcessLostRequest& request) {
    Apply(core_->OnProcessLost(++last_call_, request, now_));
    return last_call_;
  }
  CallId SaveCheckpoint() {
    v1::SaveCheckpointRequest request;
    request.set_wait_ms(500);
    Apply(core_->OnSaveCheckpoint(++last_call_, request, now_));
    return last_call_;
  }
  void ModelSaved(const absl::Status& status) { Apply(core_->OnModelSaved(status, now_)); }
  // The outcome of the newest commit().
  void Committed(const absl::Status& status) { Apply(core_->OnCheckpointCommitted(status, now_)); }
  void Fail(const std::string& text) { Apply(core_->Fail(text, now_)); }

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
  nlohmann::json summary() const { return nlohmann::json::parse(core_->summary()); }

  // ---- whole processes

  // Of all that join from now on; at first they are clients in another language, which have none.
  void set_build_id(const std::string& build_id) { build_id_ = build_id; }

  void Join(v1::Role role, uint32_t rank, const std::string& host = "") {
    v1::RegisterRequest request;
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
    if (core_->phase() != v1::STARTING) identity.set_generation(generation_);
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
    EXPECT_EQ(core_->phase(), v1::TRAINING) << core_->failure();
  }

 private:
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
  std::unique_ptr<CoordinatorCore> core_;
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
