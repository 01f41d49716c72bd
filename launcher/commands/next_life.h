// Another life of a run of `convoy train`: its processes start again, from its newest checkpoint.
#ifndef CONVOY_LAUNCHER_COMMANDS_NEXT_LIFE_H_
#define CONVOY_LAUNCHER_COMMANDS_NEXT_LIFE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "launcher/commands/job_processes.h"
#include "launcher/commands/run_screen.h"
#include "launcher/process/run_directory.h"
#include "proto/job.pb.h"

namespace convoy {

struct NextLife {
  std::string why;   // "worker 1 (pid 4170) was killed by SIGKILL"
  std::string how;   // "restart 1"; "": it is no restart after a loss
  std::string more;  // for people, e.g. where a log is
  absl::Duration delay;
  uint32_t workers = 0;
};

// cluster.on_worker_loss: with how many workers the job goes on after these losses; as many as
// before if the lost ones are to be replaced.
uint32_t WorkersLeft(const v1::Cluster& cluster, const std::vector<JobProcesses::Failure>& losses);

// Finds the newest checkpoint of the run, says so, and changes `job` and `resume` so that they
// begin the next life. `slices`: of the job that ran; `generation_heard`: it had begun one.
absl::Status PrepareNextLife(const NextLife& next, RunDirectory& directory, uint32_t slices,
                             bool generation_heard, v1::Job* job, ResumeFrom* resume,
                             RunScreen* screen);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_NEXT_LIFE_H_
