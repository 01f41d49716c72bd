// What a job is, as `convoy check` shows it.
#ifndef CONVOY_LAUNCHER_COMMANDS_JOB_OVERVIEW_H_
#define CONVOY_LAUNCHER_COMMANDS_JOB_OVERVIEW_H_

#include <cstdint>
#include <optional>
#include <string>

#include "launcher/process/machine_memory.h"
#include "launcher/process/memory_estimate.h"
#include "proto/job.pb.h"
#include "worker/setup.h"

namespace convoy {

struct JobOverview {
  const v1::Job& job;          // resolved
  const TrainingSetup& setup;  // of this job
  MemoryEstimate memory;
  std::optional<MachineMemory> machine;
  uint32_t cores = 1;
};

// Sections of aligned lines: data, model with every variable, training, memory, cores.
// InvalidArgument: the job's mode.
absl::StatusOr<std::string> RenderJobOverview(const JobOverview& overview);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_JOB_OVERVIEW_H_
