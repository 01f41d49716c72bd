// One run of a job by `convoy train`, from the start of its processes to its results.
#ifndef CONVOY_LAUNCHER_COMMANDS_TRAINING_RUN_H_
#define CONVOY_LAUNCHER_COMMANDS_TRAINING_RUN_H_

#include <memory>
#include <span>
#include <string>

#include "launcher/commands/custom_model_program.h"
#include "launcher/commands/job_processes.h"
#include "launcher/process/run_directory.h"
#include "proto/job.pb.h"

namespace convoy {

// What is started, and where.
struct PreparedRun {
  v1::Job job;
  std::unique_ptr<RunDirectory> directory;
  ResumeFrom resume;
  bool in_process = false;  // all roles as threads of this process
  std::string dashboard;    // [HOST:]PORT; "": none
  std::string program;      // as the user called it
  std::string job_path;     // of the job to suggest commands for
};

// Starts the processes, shows how far they are, and prints the results. Signals end the job in
// order, the second one at once. Returns the exit code.
int RunTraining(PreparedRun prepared, std::span<const ModelRegistration> models);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_TRAINING_RUN_H_
