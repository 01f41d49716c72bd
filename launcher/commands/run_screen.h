// What `convoy train` shows of a run, and what it writes into the run directory meanwhile.
#ifndef CONVOY_LAUNCHER_COMMANDS_RUN_SCREEN_H_
#define CONVOY_LAUNCHER_COMMANDS_RUN_SCREEN_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "launcher/commands/job_processes.h"
#include "launcher/process/progress_display.h"
#include "launcher/process/run_directory.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"

namespace convoy {

// One thread. A run may have several lives: all its processes are started again after a loss.
class RunScreen {
 public:
  // `directory` outlives it.
  explicit RunScreen(RunDirectory* directory);

  // What can't be written is told and tried again; it does not end the job.
  //
  // The processes of `job` run, for the first time or again. `dashboard`: where the user wants it;
  // "": nowhere.
  absl::Status BeginLife(const v1::Job& job, const JobProcesses& processes,
                         const std::string& coordinator, const std::string& dashboard);
  // Some of the processes are others now.
  void ProcessesChanged(const JobProcesses& processes);
  // The processes are gone, and others will come.
  void EndLife();
  // News of the coordinator.
  absl::Status Show(const v1::GetProgressReply& progress);
  // A process was hit on purpose, at this state of the job.
  absl::Status NoteFault(const std::string& fault, const v1::GetProgressReply& progress);
  // Where the processes of `job` will serve metrics, if it wants that. `running`: some do already.
  void ShowMetrics(const v1::Job& job, bool running);
  // They serve no more, as was to be expected: the job has ended in order, or was told to end.
  void ForgetMetrics() const;
  // A line of its own, above the progress.
  void Print(std::string_view line) { display_.Print(line); }
  // Leaves the progress line. Call before others write.
  void Finish() { display_.Finish(); }

 private:
  absl::Status Introduce();
  void ShowDashboard(const std::string& url);
  void PrintOnce(const std::string& line);
  // Warns if not.
  bool IsWritten(const absl::Status& status);
  void NoteIfLost(const absl::Status& appended);

  RunDirectory* const directory_;
  ProgressDisplay display_;
  v1::Job job_;
  std::vector<ClusterProcess> cluster_;
  bool introduced_ = false, memory_is_shown_ = false;
  std::set<std::string> printed_;  // see PrintOnce
  bool event_was_lost_ = false;
  // Of this life:
  bool job_is_final_ = false, cluster_is_final_ = false;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_RUN_SCREEN_H_
