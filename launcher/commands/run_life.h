// One life of a run of `convoy train`, from the start of its processes to their end: what is known
// of it, and what it was lost to.
#ifndef CONVOY_LAUNCHER_COMMANDS_RUN_LIFE_H_
#define CONVOY_LAUNCHER_COMMANDS_RUN_LIFE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "launcher/commands/job_processes.h"
#include "launcher/process/restart_policy.h"

namespace convoy {

// Begins anew with each life.
struct RunLife {
  std::string summary;  // once it has ended
  uint64_t events_seen = 0, seen = 0;
  bool reported = false;  // the coordinator was told of a failure
  bool generation_heard = false;
  bool failed_by_loss = false;  // the coordinator says so
  bool silent = false;          // the coordinator
};

// What the life that has ended with `status` lost; nothing: it has ended for another reason.
// `examples`: how far the job got. Waits a little for a process that is about to end.
std::optional<Loss> FindLoss(const RunLife& life, const absl::Status& status, uint64_t examples,
                             JobProcesses* processes);

// Where to read more of a process that was killed; "": none was.
std::string AboutLost(const JobProcesses& processes);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_RUN_LIFE_H_
