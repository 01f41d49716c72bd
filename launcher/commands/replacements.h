// Processes of `convoy train` that take the places of others, which were killed, while the rest of
// the job goes on: workers, and the coordinator.
#ifndef CONVOY_LAUNCHER_COMMANDS_REPLACEMENTS_H_
#define CONVOY_LAUNCHER_COMMANDS_REPLACEMENTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/commands/job_processes.h"
#include "launcher/commands/run_control.h"
#include "launcher/commands/run_screen.h"
#include "launcher/process/restart_policy.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// One thread. All that it is given outlives it.
class Replacements {
 public:
  Replacements(RunControl* control, RestartPolicy* policy, RunScreen* screen)
      : control_(control), policy_(policy), screen_(screen) {}

  // Processes have failed: replaces those that can be. False: the job can't go on from where it is.
  // An error: it could, but another one could not be started. `examples`: how far the job was.
  absl::StatusOr<bool> GoesOn(uint64_t examples);

 private:
  absl::StatusOr<bool> ReplaceCoordinator(const JobProcesses::Failure& failure, uint64_t examples);
  absl::StatusOr<bool> ReplaceWorkers(const std::vector<JobProcesses::Failure>& failures,
                                      uint64_t examples);
  // The coordinator says what is to be done. One that is slow gets some time.
  absl::StatusOr<v1::ProcessLostReply> SayLost(const JobProcesses::Failure& failure) const;
  // One that was not forgiven.
  bool CoordinatorHasDied() const;
  bool CoordinatorWasKilled() const;

  RunControl* const control_;
  RestartPolicy* const policy_;
  RunScreen* const screen_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_REPLACEMENTS_H_
