// What `convoy train` prints once a job is done.
#ifndef CONVOY_LAUNCHER_COMMANDS_RUN_RESULTS_H_
#define CONVOY_LAUNCHER_COMMANDS_RUN_RESULTS_H_

#include <string>
#include <vector>

#include "launcher/commands/training_run.h"

namespace convoy {

// The results of `summary` (JSON, as the coordinator wrote it), what the user may want to do next,
// and which rehearsed faults `did_not_happen`. Returns the exit code.
int ShowRunResults(const PreparedRun& prepared, const std::string& summary,
                   const std::vector<std::string>& did_not_happen);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_RUN_RESULTS_H_
