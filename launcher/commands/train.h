// `convoy train`: starts the processes of a job, shows its progress, and ends with its results.
#ifndef CONVOY_LAUNCHER_COMMANDS_TRAIN_H_
#define CONVOY_LAUNCHER_COMMANDS_TRAIN_H_

#include <span>
#include <string>

#include "launcher/commands/job_options.h"
#include "worker/models/model.h"

namespace convoy {

struct TrainOptions {
  JobOptions job;
  std::string run_dir;      // empty: a new one under runs/
  bool in_process = false;
  std::string program;      // as the user called it
};

// Returns the exit code.
int RunTrainCommand(const TrainOptions& options, std::span<const ModelRegistration> models);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_TRAIN_H_
