// Runs `convoy train` as a child process, one run after the other.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_CHILD_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_CHILD_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "launcher/commands/compare/planned_run.h"
#include "launcher/process/process_exit.h"
#include "launcher/process/supervisor.h"

namespace convoy {

class RunChild {
 public:
  static absl::StatusOr<std::unique_ptr<RunChild>> Start();
  // Trains the job of a run that is prepared and returns how that failed; empty: it ended well.
  // `look` is called now and then meanwhile. Cancelled: Stop was called.
  absl::StatusOr<std::string> Train(const PlannedRun& run, const std::function<void()>& look);

  // Train returns soon, and no further run begins. Any thread.
  void RequestStop();
  // Stops the run under way in order and returns when it has ended.
  void Finish();
  // Ends it at once. Any thread.
  void Kill();

 private:
  RunChild() = default;
  void OnExit(const ProcessExit& exit);

  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<ProcessExit> exit_ CONVOY_GUARDED_BY(mutex_);  // of the run under way
  bool stopped_ CONVOY_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Supervisor> supervisor_;  // last: its thread uses the others
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_CHILD_H_
