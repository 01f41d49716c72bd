// The folder that holds everything about one run of a job (docs/run_directory.md).
#ifndef CONVOY_LAUNCHER_PROCESS_RUN_DIRECTORY_H_
#define CONVOY_LAUNCHER_PROCESS_RUN_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/files/owned_fd.h"

namespace convoy {

// The program that trained in `run_dir`, from its cluster.json; empty if that is not known.
std::string ProgramOfRun(const std::string& run_dir);

// A process of the job, for cluster.json.
struct ClusterProcess {
  // "coordinator", "server" or "worker", and the number among them.
  std::string role;
  int rank = 0;
  int64_t pid = 0;
  // host:port; empty for processes that nobody calls.
  std::string address;
  // Path of the log, relative to the run directory; empty: no log of its own.
  std::string log;
};

// One thread, except the paths. Locked against a second job until destroyed.
class RunDirectory {
 public:
  // Makes the folder and what is above it; an existing one must be empty. FailedPrecondition: it
  // is in use by another job (whose pid is named), or holds an earlier run or other files.
  static absl::StatusOr<std::unique_ptr<RunDirectory>> Create(std::string path);

  // The folder of an earlier run, to go on with. NotFound: there is no run in it.
  // FailedPrecondition: it is in use by another job (whose pid is named).
  static absl::StatusOr<std::unique_ptr<RunDirectory>> Open(std::string path);

  // runs/<job name>-<date>-<time>, with -2, -3, ... appended while that is taken. Characters of
  // the name that do not suit a file name become '_'.
  static absl::StatusOr<std::unique_ptr<RunDirectory>> CreateDefault(std::string_view job_name,
                                                                     absl::Time now);

  const std::string& path() const { return path_; }
  std::string job_path() const { return path_ + "/job.textproto"; }
  std::string cluster_path() const { return path_ + "/cluster.json"; }
  std::string events_path() const { return path_ + "/events.jsonl"; }
  std::string summary_path() const { return path_ + "/summary.json"; }
  std::string checkpoints_path() const { return path_ + "/checkpoints"; }
  std::string metrics_targets_path() const { return path_ + "/metrics_targets.json"; }
  // Of the coordinator, while the job runs.
  std::string journal_path() const { return path_ + "/coordinator.journal"; }
  std::string model_path() const { return path_ + "/model.safetensors"; }
  // logs/<role>-<rank>.log, relative to the run directory.
  static std::string LogName(std::string_view role, int rank);
  std::string LogPath(std::string_view role, int rank) const;

  // The resolved job in text format.
  absl::Status WriteJob(std::string_view textproto);
  // Also says which program this is.
  absl::Status WriteCluster(std::string_view job_name,
                            const std::vector<ClusterProcess>& processes);
  // The processes are gone, and others will come: cluster.json is removed.
  absl::Status RemoveCluster();
  // A job begins or goes on: how an earlier one ended is not true any more.
  absl::Status RemoveSummary();
  // Appends one line to events.jsonl, in one write. `event` has no line break. After an error the
  // file is as before.
  absl::Status AppendEvent(std::string_view event);
  // What the run was, for a job that is refused or fails before it has changed anything.
  struct Papers {
    std::optional<std::string> job, summary;  // job.textproto and summary.json; nothing: none
  };
  Papers ReadPapers() const;
  // As they were: what `before` has not is removed.
  absl::Status PutBack(const Papers& before);

  // `json`: the text of summary.json without a line break at its end.
  absl::Status WriteSummary(std::string_view json);

 private:
  RunDirectory(std::string path, OwnedFd lock, OwnedFd events);
  static absl::StatusOr<std::unique_ptr<RunDirectory>> Locked(std::string path, OwnedFd lock);

  const std::string path_;
  const OwnedFd lock_;
  const OwnedFd events_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_RUN_DIRECTORY_H_
