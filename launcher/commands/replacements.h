// Processes of `convoy train` that take the places of others, which were killed, while the rest of
// the job goes on: workers, and the coordinator.
#ifndef CONVOY_LAUNCHER_COMMANDS_REPLACEMENTS_H_
#define CONVOY_LAUNCHER_COMMANDS_REPLACEMENTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/commands/job_processes.h"
#include "launcher/commands/run_control.h"
#include "launcher/commands/run_screen.h"
#include "launcher/process/restart_policy.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// A coordinator that says nothing for so long counts as dead.
inline constexpr absl::Duration kCoordinatorSilence = absl::Seconds(8);

// One thread. All that it is given outlives it.
class Replacements {
 public:
  // `replaces`: whether this job's processes are replaced at all.
  Replacements(bool replaces, RunControl* control, RestartPolicy* policy, RunScreen* screen)
      : replaces_(replaces), control_(control), policy_(policy), screen_(screen) {}

  // Processes have failed: replaces those that can be. False: the job can't go on from where it is.
  // An error: it could, but another one could not be started. `examples`: how far the job was.
  absl::StatusOr<bool> GoesOn(uint64_t examples);
  // It has not answered for kCoordinatorSilence: another one can then take its place. False: none
  // can, and it is left alone.
  bool KillSilentCoordinator();
  // Every process of the job has ended.
  bool NobodyIsLeft() const;

 private:
  absl::StatusOr<bool> ReplaceCoordinator(const JobProcesses::Failure& failure, uint64_t examples);
  absl::StatusOr<bool> ReplaceWorkers(const std::vector<JobProcesses::Failure>& failures,
                                      uint64_t examples);
  // The coordinator says what is to be done. One that is slow gets kCoordinatorSilence.
  absl::StatusOr<v1::ProcessLostReply> SayLost(const JobProcesses::Failure& failure) const;
  // One that was not forgiven.
  bool CoordinatorHasDied() const;
  bool CoordinatorWasKilled() const;

  const bool replaces_;
  RunControl* const control_;
  RestartPolicy* const policy_;
  RunScreen* const screen_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_REPLACEMENTS_H_
