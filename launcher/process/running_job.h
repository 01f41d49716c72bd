// A job that runs now, found by its run directory.
#ifndef CONVOY_LAUNCHER_PROCESS_RUNNING_JOB_H_
#define CONVOY_LAUNCHER_PROCESS_RUNNING_JOB_H_

#include <string>

#include "absl/status/statusor.h"

namespace convoy {

// Whether a living job holds the lock of this run directory.
bool IsRunning(const std::string& run_dir);
// Who: "process 4100", from the lock.
std::string RunningProcess(const std::string& run_dir);

// host:port of the coordinator of the job that runs in `run_dir`, from its cluster.json. NotFound:
// there is no run. FailedPrecondition: the run has ended. Unavailable: it is just starting. DataLoss:
// cluster.json is not what a run writes.
absl::StatusOr<std::string> CoordinatorOfRunningJob(const std::string& run_dir);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_RUNNING_JOB_H_
