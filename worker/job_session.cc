#include "worker/job_session.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/process_usage.h"
#include "common/status.h"

namespace convoy {
namespace {
constexpr size_t kMaxQueuedReports = 256;
}  // namespace

JobSession::JobSession(CoordinatorClient* client, bool sync, absl::Duration heartbeat)
    : client_(client), sync_(sync), reporter_([this] { SendReports(); }) {
  pthread_setname_np(reporter_.native_handle(), "reports");
  client_->StartHeartbeats(
      heartbeat, [this](v1::HeartbeatRequest* request) { Fill(request); },
      [this](const absl::StatusOr<v1::HeartbeatReply>& reply) { OnReply(reply); });
}

JobSession::~JobSession() {
  client_->StopHeartbeats();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  reporter_.join();
}

void JobSession::SetActivity(const std::string& activity) {
  MutexLock lock(mutex_);
  activity_ = activity;
}

void JobSession::SetComputeClock(std::function<ComputeTimes()> clock) {
  MutexLock lock(mutex_);
  if (compute_clock_) compute_ = compute_clock_();
  compute_clock_ = std::move(clock);
}

void JobSession::Fill(v1::HeartbeatRequest* request) {
  MutexLock lock(mutex_);
  request->set_activity(activity_);
  request->set_step(step_);
  request->set_stop_confirmed(stop_step_);
  request->set_finished(finished_);
  v1::ProcessUsage& usage = *request->mutable_usage();
  usage = CurrentProcessUsage();
  usage.set_bytes_sent(counters_.bytes_sent);
  usage.set_bytes_received(counters_.bytes_received);
  usage.set_trained_seconds(absl::ToDoubleSeconds(counters_.trained));
  usage.set_waited_seconds(absl::ToDoubleSeconds(counters_.waited));
  if (compute_clock_) compute_ = compute_clock_();
  usage.set_compute_seconds(compute_.computed);
  usage.set_delayed_seconds(compute_.delayed);
  usage.set_examples(compute_.examples);
  usage.set_staleness_count(staleness_count_);
  usage.set_staleness_sum(staleness_sum_);
}

v1::HeartbeatRequest JobSession::State() {
  v1::HeartbeatRequest state;
  Fill(&state);
  return state;
}

void JobSession::OnReply(const absl::StatusOr<v1::HeartbeatReply>& reply) {
  bool confirm = false;
  {
    MutexLock lock(mutex_);
    if (!reply.ok()) {
      failure_.Update(Annotate(reply.status(), "the coordinator"));
    } else {
      phase_ = reply->phase();
      if (phase_ == v1::FAILED) failure_.Update(absl::AbortedError(reply->failure()));
      // A step that has begun can't be taken back: then the coordinator proposes a later one.
      if ((reply->stop_step() > step_ || (!sync_ && reply->stop_step() > 0)) && reply->stop_step() != stop_step_ && !stop_agreed_) {
        stop_step_ = reply->stop_step();
        confirm = true;
      }
      stop_agreed_ = reply->stop_agreed() && reply->stop_step() == stop_step_;
    }
  }
  changed_.NotifyAll();
  if (confirm) client_->HeartbeatNow();
}

absl::Status JobSession::AliveLocked() const { return failure_; }

absl::Status JobSession::alive() const {
  MutexLock lock(mutex_);
  return AliveLocked();
}

absl::StatusOr<bool> JobSession::BeginStep(uint64_t step) {
  MutexLock lock(mutex_);
  while (stop_step_ != 0 && step >= stop_step_ && !stop_agreed_ && AliveLocked().ok()) changed_.Wait(mutex_);
  CONVOY_RETURN_IF_ERROR(AliveLocked());
  if (stop_step_ != 0 && step >= stop_step_) return false;
  step_ = step;
  return true;
}

bool JobSession::CountBatches(uint64_t batches) {
  MutexLock lock(mutex_);
  step_ = batches;
  return stop_step_ == 0;
}

absl::Status JobSession::Report(v1::ReportRequest report) {
  MutexLock lock(mutex_);
  while (reports_.size() >= kMaxQueuedReports && AliveLocked().ok()) changed_.Wait(mutex_);
  CONVOY_RETURN_IF_ERROR(AliveLocked());
  staleness_count_ += report.staleness_count();
  staleness_sum_ += report.staleness_sum();
  reports_.push_back(std::move(report));
  changed_.NotifyAll();
  return absl::OkStatus();
}

void JobSession::SendReports() {
  for (;;) {
    v1::ReportRequest report;
    {
      MutexLock lock(mutex_);
      while (reports_.empty() && !stopping_) changed_.Wait(mutex_);
      if (reports_.empty()) return;
      report = std::move(reports_.front());
      reports_.pop_front();
      sending_ = true;
    }
    const absl::Status status = client_->Report(std::move(report));
    {
      MutexLock lock(mutex_);
      sending_ = false;
      if (!status.ok()) {
        failure_.Update(Annotate(status, "report to the coordinator"));
        reports_.clear();
      }
    }
    changed_.NotifyAll();
  }
}

absl::Status JobSession::Finish() {
  {
    MutexLock lock(mutex_);
    while ((!reports_.empty() || sending_) && AliveLocked().ok()) changed_.Wait(mutex_);
    CONVOY_RETURN_IF_ERROR(AliveLocked());
    finished_ = true;
  }
  client_->HeartbeatNow();
  return absl::OkStatus();
}

absl::Status JobSession::WaitForEnd() {
  MutexLock lock(mutex_);
  while (phase_ != v1::DONE && AliveLocked().ok()) changed_.Wait(mutex_);
  return AliveLocked();
}

void JobSession::Fail(const absl::Status& why) {
  client_->StopHeartbeats();
  v1::HeartbeatRequest last_words;
  Fill(&last_words);
  last_words.set_failure(std::string(why.message()));
  // The launcher hears of the failure in any case: this process ends.
  client_->Heartbeat(std::move(last_words)).status().IgnoreError();
}

void JobSession::SetCounters(const WorkerCounters& counters) {
  MutexLock lock(mutex_);
  counters_ = counters;
}

}  // namespace convoy
