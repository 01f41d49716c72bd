// `convoy coordinator`: the coordinator as a process of its own.
#ifndef CONVOY_LAUNCHER_COMMANDS_COORDINATOR_COMMAND_H_
#define CONVOY_LAUNCHER_COMMANDS_COORDINATOR_COMMAND_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "launcher/commands/job_options.h"
#include "launcher/commands/log.h"
#include "launcher/coordinator/coordinator_service.h"

namespace convoy {

struct CoordinatorOptions {
  JobOptions job;
  std::string listen = "127.0.0.1:0";
  bool insecure_listen = false;
  // Folder for events.jsonl, summary.json, model.safetensors ...; empty: a new one under runs/.
  std::string run_dir;

  // Go on in the place of a coordinator that has died, from its journal in run_dir.
  bool recover = false;
  // [HOST:]PORT of the dashboard; empty: none.
  std::string dashboard;

  // The launcher's: its own run directory is used, the address is written to this file or FIFO, and
  // the final weights to `model_file`.
  std::string announce;
  std::string model_file;
  // Folder of the checkpoints; empty: none are taken.
  std::string checkpoints;
  // The checkpoint to go on from, and the run directory it belongs to; empty: the job begins.
  std::string resume_from;
  std::string resume_run;
  bool allow_changes = false;
  EarlierLives earlier;
  // Path; empty: none is kept.
  std::string journal;
  uint64_t events_delivered = 0;  // with `recover`: lines that events.jsonl has already

  // The workers are threads of this process.
  bool fixed_workers = false;

  // What the owner of the files should know and nobody else.
  LogFunction log = LogToScreen();
};

// A coordinator that saves checkpoints to `checkpoints` and the final weights to `model_file`.
absl::StatusOr<std::unique_ptr<CoordinatorService>> StartCoordinator(
    const v1::Job& job, const CoordinatorOptions& options,
    std::function<void(const std::string&)> on_event);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COORDINATOR_COMMAND_H_
