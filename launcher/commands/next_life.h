// Another life of a run of `convoy train`: its processes start again, from its newest checkpoint.
#ifndef CONVOY_LAUNCHER_COMMANDS_NEXT_LIFE_H_
#define CONVOY_LAUNCHER_COMMANDS_NEXT_LIFE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "launcher/commands/job_processes.h"
#include "launcher/commands/run_screen.h"
#include "launcher/process/run_directory.h"

namespace convoy {

struct NextLife {
  std::string why;   // "worker 1 (pid 4170) was killed by SIGKILL"
  std::string how;   // "restart 1"
  std::string more;  // for people, e.g. where a log is
  absl::Duration delay;
};

// Finds the newest checkpoint of the run, says so, and changes `resume` so that it begins the next
// life. `generation_heard`: of the life that has ended.
absl::Status PrepareNextLife(const NextLife& next, const RunDirectory& directory,
                             bool generation_heard, ResumeFrom* resume, RunScreen* screen);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_NEXT_LIFE_H_
