// A worker's standing in its job: heartbeats, the agreement on when to stop, and reports, which
// leave from a thread of their own so that training does not wait for them.
#ifndef CONVOY_WORKER_JOB_SESSION_H_
#define CONVOY_WORKER_JOB_SESSION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "proto/coordinator.pb.h"

namespace convoy {

struct WorkerCounters {
  uint64_t bytes_sent = 0, bytes_received = 0;
  absl::Duration trained;  // since the training began
  absl::Duration waited;   // of that, for servers, other workers and data tasks
  v1::PushFaultCounts push_faults{};
};

// Of all threads of a worker, in seconds.
struct ComputeTimes {
  double computed = 0;    // processor time of the model
  double delayed = 0;     // slept on purpose (rehearsal.slow_worker)
  uint64_t examples = 0;  // that were trained on
};

// Thread-safe.
class JobSession {
 public:
  struct Options {
    bool sync = true;  // workers agree on the step to stop at
    // The worker takes the place of another one; what it is told of steps waits for Rejoin.
    bool rejoins = false;
    absl::Duration heartbeat = absl::Milliseconds(500);
  };

  // `client` is registered and outlives the session. Starts heartbeats.
  JobSession(CoordinatorClient* client, const Options& options);
  // Stops heartbeats and reports.
  ~JobSession();

  // What the process is doing, for messages to people.
  void SetActivity(const std::string& activity);
  // A worker that takes the place of another one begins with step `step` (sync; others: 0); all
  // workers stop before `stop_step`, as in the assignment. The coordinator knows when this returns.
  absl::Status Rejoin(uint64_t step, uint64_t stop_step);
  // sync: asks whether step `step` may begin. False: all workers stop before it. May wait for the
  // others' word.
  absl::StatusOr<bool> BeginStep(uint64_t step);
  // sync: the order of a snapshot of a version up to `step`, which has just begun, before which its
  // checkpoint wants to know what was summed up; once for each. With backups steps may be left out.
  std::optional<v1::SnapshotOrder> TakesSnapshot(uint64_t step);
  // What became of an order.
  void SayOfSnapshot(v1::SnapshotState state);
  // After Finish: the next order; nullopt: the job has ended.
  std::optional<v1::SnapshotOrder> AwaitLastSnapshot();
  // sync: the step that must not be begun until the coordinator says so, as in the assignment.
  void SetHold(uint64_t step);
  // The step to stop at is not the end of the job: its slices are then divided anew.
  bool divides() const;
  // They were: the process is to register again. alive() is not OK then.
  bool registers_again() const;
  // Other modes: `batches` have been pushed. False: take no further one.
  bool CountBatches(uint64_t batches);
  // Queues a report.
  absl::Status Report(v1::ReportRequest report);
  // Waits until everything that was queued is sent.
  absl::Status SendAll();
  // The worker has taken its last step: sends what is queued and says so.
  absl::Status Finish();
  // Waits until the job has ended. Aborted, with the reason: it failed.
  absl::Status WaitForEnd();
  // OK while the job lives. Aborted, with the reason: it failed. Unavailable: the coordinator is
  // gone.
  absl::Status alive() const;
  // The process fails: tells the coordinator, unless the job has failed already. What it takes for
  // a failure may be a refusal that came before the word that the workers are divided anew: see
  // registers_again() then.
  void Fail(const absl::Status& why);
  // What the worker has sent and received, and how long it trained and waited meanwhile.
  void SetCounters(const WorkerCounters& counters);
  // What the next heartbeat would say.
  v1::HeartbeatRequest State();
  // Where to read the times of the model from; called from another thread. Null: nowhere any more.
  void SetComputeClock(std::function<ComputeTimes()> clock);

 private:
  void Fill(v1::HeartbeatRequest* request);
  void OnReply(const absl::StatusOr<v1::HeartbeatReply>& reply);
  void SendReports();
  absl::Status AliveLocked() const CONVOY_REQUIRES(mutex_);
  // Returns whether there is something to say.
  bool FollowLocked(const v1::HeartbeatReply& reply) CONVOY_REQUIRES(mutex_);
  // Returns whether there is something to say of it.
  bool FollowSnapshotLocked(const v1::SnapshotOrder& order) CONVOY_REQUIRES(mutex_);
  bool MustWaitLocked(uint64_t step) const CONVOY_REQUIRES(mutex_);

  CoordinatorClient* const client_;
  const bool sync_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::string activity_ CONVOY_GUARDED_BY(mutex_);
  uint64_t step_ CONVOY_GUARDED_BY(mutex_) = 0;  // highest begun, or batches pushed
  bool waits_for_rejoin_ CONVOY_GUARDED_BY(mutex_);
  v1::HeartbeatReply unheeded_ CONVOY_GUARDED_BY(mutex_);  // the newest, until then
  uint64_t rejoined_at_ CONVOY_GUARDED_BY(mutex_) = 0;     // see HeartbeatRequest
  uint64_t stop_step_ CONVOY_GUARDED_BY(mutex_) = 0;       // confirmed; 0: none
  bool stop_agreed_ CONVOY_GUARDED_BY(mutex_) = false;
  bool divides_ CONVOY_GUARDED_BY(mutex_) = false;
  bool registers_again_ CONVOY_GUARDED_BY(mutex_) = false;
  uint64_t hold_step_ CONVOY_GUARDED_BY(mutex_) = 0;  // 0: none
  bool hold_is_known_ CONVOY_GUARDED_BY(mutex_) = false;
  v1::SnapshotOrder order_ CONVOY_GUARDED_BY(mutex_);        // the newest
  v1::SnapshotState snapshot_ CONVOY_GUARDED_BY(mutex_);     // what is said of the newest order
  uint64_t snapshot_version_ CONVOY_GUARDED_BY(mutex_) = 0;  // armed and not reported; 0: none
  bool finished_ CONVOY_GUARDED_BY(mutex_) = false;
  WorkerCounters counters_ CONVOY_GUARDED_BY(mutex_);
  std::function<ComputeTimes()> compute_clock_ CONVOY_GUARDED_BY(mutex_);
  ComputeTimes compute_ CONVOY_GUARDED_BY(mutex_);
  uint64_t staleness_count_ CONVOY_GUARDED_BY(mutex_) = 0;  // of all reports
  uint64_t staleness_sum_ CONVOY_GUARDED_BY(mutex_) = 0;
  v1::JobPhase phase_ CONVOY_GUARDED_BY(mutex_) = v1::STARTING;
  absl::Status failure_ CONVOY_GUARDED_BY(mutex_);
  std::deque<v1::ReportRequest> reports_ CONVOY_GUARDED_BY(mutex_);
  bool sending_ CONVOY_GUARDED_BY(mutex_) = false;
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;

  std::thread reporter_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_JOB_SESSION_H_
