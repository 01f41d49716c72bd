#include "worker/job_session.h"

#include <pthread.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/process_usage.h"
#include "common/status.h"

namespace convoy {
namespace {
constexpr size_t kMaxQueuedReports = 256;
}  // namespace

JobSession::JobSession(CoordinatorClient* client, const Options& options)
    : client_(client),
      sync_(options.sync),
      waits_for_rejoin_(options.rejoins),
      reporter_([this] { SendReports(); }) {
  pthread_setname_np(reporter_.native_handle(), "reports");
  client_->StartHeartbeats(
      options.heartbeat, [this](v1::HeartbeatRequest* request) { Fill(request); },
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
  request->set_rejoined_at(rejoined_at_);
  if (snapshot_.number() != 0) *request->mutable_snapshot() = snapshot_;
  v1::ProcessUsage& usage = *request->mutable_usage();
  usage = CurrentProcessUsage();
  usage.set_bytes_sent(counters_.bytes_sent);
  usage.set_bytes_received(counters_.bytes_received);
  usage.set_trained_seconds(absl::ToDoubleSeconds(counters_.trained));
  usage.set_waited_seconds(absl::ToDoubleSeconds(counters_.waited));
  *usage.mutable_push_faults() = counters_.push_faults;
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
      if (reply->register_again()) {
        registers_again_ = true;
        failure_.Update(absl::AbortedError("the workers of the job are divided anew"));
      }
      if (waits_for_rejoin_) {
        unheeded_ = *reply;
      } else {
        confirm = FollowLocked(*reply);
      }
    }
  }
  changed_.NotifyAll();
  if (confirm) client_->HeartbeatNow();
}

bool JobSession::FollowLocked(const v1::HeartbeatReply& reply) {
  bool confirm = false;
  // A step that has begun can't be taken back: then the coordinator proposes a later one.
  if ((reply.stop_step() > step_ || (!sync_ && reply.stop_step() > 0)) &&
      reply.stop_step() != stop_step_ && !stop_agreed_) {
    stop_step_ = reply.stop_step();
    confirm = true;
  }
  divides_ = reply.divides();
  stop_agreed_ = reply.stop_agreed() && reply.stop_step() == stop_step_;
  if (reply.phase() == v1::TRAINING) {
    hold_step_ = reply.hold_step();
    hold_is_known_ = true;
  }
  if (sync_ && reply.has_snapshot()) confirm |= FollowSnapshotLocked(reply.snapshot());
  return confirm;
}

// Its first step counts as not begun, although the one before may have begun it.
absl::Status JobSession::Rejoin(uint64_t step, uint64_t stop_step) {
  {
    MutexLock lock(mutex_);
    if (!waits_for_rejoin_) return absl::OkStatus();
    waits_for_rejoin_ = false;
    rejoined_at_ = step + 1;
    if (sync_) step_ = step - std::min<uint64_t>(step, 1);
    stop_step_ = stop_step;
    if (unheeded_.sequence() > 0) FollowLocked(unheeded_);
  }
  changed_.NotifyAll();
  // Not with the heartbeat that comes next: a report could overtake it.
  CONVOY_RETURN_IF_ERROR(client_->Heartbeat(State()).status());
  return alive();
}

absl::Status JobSession::AliveLocked() const { return failure_; }

absl::Status JobSession::alive() const {
  MutexLock lock(mutex_);
  return AliveLocked();
}

// A step that has begun can't be reported on any more: the coordinator then wants a later one.
bool JobSession::FollowSnapshotLocked(const v1::SnapshotOrder& order) {
  constexpr uint64_t kWhereverCellsAre = std::numeric_limits<uint64_t>::max();
  if (order.number() == order_.number()) return false;
  order_ = order;
  snapshot_.Clear();
  snapshot_.set_number(order.number());
  snapshot_version_ = 0;
  if (order.folder().empty() || order.version() == kWhereverCellsAre) return false;
  const bool in_time = order.version() > step_;
  snapshot_.set_progress(in_time ? v1::SnapshotState::ARMED : v1::SnapshotState::REFUSED);
  snapshot_.set_version(step_);
  if (in_time) snapshot_version_ = order.version();
  return true;
}

std::optional<v1::SnapshotOrder> JobSession::TakesSnapshot(uint64_t step) {
  MutexLock lock(mutex_);
  if (snapshot_version_ == 0 || snapshot_version_ > step) return std::nullopt;
  snapshot_version_ = 0;
  return order_;
}

void JobSession::SayOfSnapshot(v1::SnapshotState state) {
  {
    MutexLock lock(mutex_);
    if (state.number() != order_.number()) return;  // It is not wanted any more.
    snapshot_ = std::move(state);
  }
  client_->HeartbeatNow();
}

std::optional<v1::SnapshotOrder> JobSession::AwaitLastSnapshot() {
  MutexLock lock(mutex_);
  const auto is_new = [this]() CONVOY_REQUIRES(mutex_) {
    const auto progress = snapshot_.progress();
    return phase_ == v1::FINISHING && !order_.folder().empty() &&
           progress != v1::SnapshotState::WRITTEN && progress != v1::SnapshotState::FAILED_TO_WRITE;
  };
  while (phase_ != v1::DONE && AliveLocked().ok() && !is_new()) changed_.Wait(mutex_);
  if (phase_ == v1::DONE || !AliveLocked().ok()) return std::nullopt;
  return order_;
}

void JobSession::SetHold(uint64_t step) {
  MutexLock lock(mutex_);
  if (!hold_is_known_) hold_step_ = step;
}

bool JobSession::MustWaitLocked(uint64_t step) const {
  if (!AliveLocked().ok()) return false;
  if (stop_step_ != 0 && step >= stop_step_) return !stop_agreed_;
  return hold_step_ != 0 && step >= hold_step_;
}

absl::StatusOr<bool> JobSession::BeginStep(uint64_t step) {
  MutexLock lock(mutex_);
  const bool holds = stop_step_ == 0 && MustWaitLocked(step);
  if (holds) client_->HeartbeatNow();  // The coordinator shall know that this is waited for.
  while (MustWaitLocked(step)) changed_.Wait(mutex_);
  CONVOY_RETURN_IF_ERROR(AliveLocked());
  if (stop_step_ != 0 && step >= stop_step_) return false;
  step_ = step;
  return true;
}

bool JobSession::divides() const {
  MutexLock lock(mutex_);
  return divides_;
}

bool JobSession::registers_again() const {
  MutexLock lock(mutex_);
  return registers_again_;
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
  if (report.kind() == v1::ReportRequest::TRAIN) {  // PARTIAL is a part of one that comes later
    staleness_count_ += report.staleness_count();
    staleness_sum_ += report.staleness_sum();
  }
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

absl::Status JobSession::SendAll() {
  MutexLock lock(mutex_);
  while ((!reports_.empty() || sending_) && AliveLocked().ok()) changed_.Wait(mutex_);
  return AliveLocked();
}

absl::Status JobSession::Finish() {
  CONVOY_RETURN_IF_ERROR(SendAll());
  {
    MutexLock lock(mutex_);
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
  absl::Status job;
  {
    MutexLock lock(mutex_);
    if (phase_ == v1::FAILED) return;  // the coordinator knows, and may have left
    job = failure_;
  }
  if (absl::IsUnavailable(job)) return;  // nobody hears it
  v1::HeartbeatRequest last_words;
  Fill(&last_words);
  if (job.ok()) {
    last_words.set_failure(std::string(why.message()));
    // Others could not be reached, or did not come within the time.
    last_words.set_unreachable(absl::IsUnavailable(why) || absl::IsDeadlineExceeded(why));
  }
  // The launcher hears of the failure in any case: this process ends.
  const absl::StatusOr<v1::HeartbeatReply> reply = client_->Heartbeat(std::move(last_words));
  MutexLock lock(mutex_);
  if (reply.ok() && reply->register_again()) registers_again_ = true;
}

void JobSession::SetCounters(const WorkerCounters& counters) {
  MutexLock lock(mutex_);
  counters_ = counters;
}

}  // namespace convoy
