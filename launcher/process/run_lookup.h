// Looking at a run directory (docs/run_directory.md) that belongs to somebody else.
#ifndef CONVOY_LAUNCHER_PROCESS_RUN_LOOKUP_H_
#define CONVOY_LAUNCHER_PROCESS_RUN_LOOKUP_H_

#include <string>

#include "absl/status/statusor.h"

namespace convoy {

// Whether a job that lives holds the folder, i.e. its lock.
bool RunIsAlive(const std::string& run_dir);
// The pid that the lock names; "": none.
std::string OwnerOfRun(const std::string& run_dir);
// The same for messages: "process 4100".
std::string OwnerText(const std::string& run_dir);
// host:port of the coordinator in cluster.json; "": not known (yet).
std::string CoordinatorOfRun(const std::string& run_dir);
// host:port of the coordinator of the job that runs in `run_dir`. NotFound: there is no run.
// FailedPrecondition: the run has ended. Unavailable: it is just starting. DataLoss: cluster.json
// is not what a run writes.
absl::StatusOr<std::string> CoordinatorOfRunningJob(const std::string& run_dir);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_RUN_LOOKUP_H_
