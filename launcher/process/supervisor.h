// Starts the processes of a job on this machine, notices their ends, and ends them.
//
// - Children die with this process in whatever way it ends, SIGKILL included.
// - Every child has its own process group: Ctrl-C on the terminal reaches this process only, and
//   what a child starts is ended with it.
// - When Stop returns no child is left.
#ifndef CONVOY_LAUNCHER_PROCESS_SUPERVISOR_H_
#define CONVOY_LAUNCHER_PROCESS_SUPERVISOR_H_

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/files/owned_fd.h"
#include "common/mutex.h"
#include "launcher/process/child_process.h"
#include "launcher/process/process_exit.h"

namespace convoy {

// Why a job failed.
struct ProcessFailure {
  ProcessExit exit;
  std::string log_path;
  // The last lines of its log at that moment; see LogTail.
  std::string last_words;

  // DescribeExit, the log's path and the last words, for the screen.
  std::string Describe() const;
};

// Any thread, except that `on_exit` must not call Spawn, Stop, WaitUntilAllExited or the
// destructor.
class Supervisor {
 public:
  struct Options {
    // Time between SIGTERM and SIGKILL when stopping.
    absl::Duration grace = absl::Seconds(5);
    // Called once for each child that ended, by the supervisor's thread, in order. Optional.
    std::function<void(const ProcessExit&)> on_exit;
  };

  // Starts the thread from which children are started (a child dies when the thread that started
  // it ends, so it must live as long as they).
  static absl::StatusOr<std::unique_ptr<Supervisor>> Start(Options options);
  // Stops.
  ~Supervisor();

  // The process id of the new child. FailedPrecondition after Stop; otherwise as
  // ChildProcess::Start.
  absl::StatusOr<pid_t> Spawn(ProcessSpec spec);

  // Returns true as soon as there is no child, false if there still are some after `timeout`.
  // `but`: the process id of one that may stay; 0: none.
  bool WaitUntilAllExited(absl::Duration timeout, pid_t but = 0);

  // The first child that failed, if any, of those that are not forgiven. Of several that are found
  // dead at once, one that was killed by a signal counts as first: the others usually follow from
  // it.
  std::optional<ProcessFailure> FirstFailure() const;
  // Whether the child with that process id is alive.
  bool Has(pid_t pid) const;
  // All of these, in that order.
  std::vector<ProcessFailure> Failures() const;
  // The failure of the child with that process id is no longer one: something was done about it.
  void Forgive(pid_t pid);
  // Signals the child with that process id, if it is alive. Returns without waiting for it.
  void Signal(pid_t pid, int number);

  // SIGTERM to all children, SIGKILL after the grace period. Returns when none is left; nothing
  // can be started any more. May be called again.
  void Stop();
  // SIGKILL to all children, at once. Returns without waiting; a Stop under way ends soon.
  void Kill();

 private:
  struct SpawnRequest {
    const ProcessSpec& spec;
    std::optional<absl::StatusOr<pid_t>> result;
  };
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  enum class Phase { kRunning, kStopping, kKilling };

  Supervisor(Options options, OwnedFd wake_up);
  void WakeUp();
  void RequestPhase(Phase phase);

  // Of the supervisor's thread:
  void Run();
  void SpawnRequested();
  absl::StatusOr<pid_t> StartChild(const ProcessSpec& spec);
  void SignalIfRequested(Deadline* kill_at);
  void SendRequested();
  void WaitForNews(const Deadline& kill_at);
  void ReapEnded();
  void Record(const ProcessExit& exit, const std::string& log_path);

  const Options options_;
  const OwnedFd wake_up_;               // eventfd
  std::vector<ChildProcess> children_;  // of the supervisor's thread
  Phase signaled_ = Phase::kRunning;    // of the supervisor's thread

  mutable Mutex mutex_;
  CondVar changed_;
  Phase phase_ CONVOY_GUARDED_BY(mutex_) = Phase::kRunning;
  bool finished_ CONVOY_GUARDED_BY(mutex_) = false;
  std::set<pid_t> alive_ CONVOY_GUARDED_BY(mutex_);
  std::vector<SpawnRequest*> spawn_requests_ CONVOY_GUARDED_BY(mutex_);
  std::vector<std::pair<pid_t, int>> signal_requests_ CONVOY_GUARDED_BY(mutex_);
  std::deque<ProcessFailure> failures_ CONVOY_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_SUPERVISOR_H_
