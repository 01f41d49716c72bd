// `convoy train --resume`: the checkpoint to go on from, and whether the job is still the same.
#ifndef CONVOY_LAUNCHER_COMMANDS_RESUME_H_
#define CONVOY_LAUNCHER_COMMANDS_RESUME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/coordinator/resume_point.h"
#include "proto/job.pb.h"

namespace convoy {

struct FoundResumePoint {
  std::optional<ResumePoint> point;  // none: there is no checkpoint yet
  std::vector<std::string> damaged;  // newer checkpoints that can't be used, and why
};

// The newest undamaged checkpoint of the run directory; every byte of it is read. DataLoss: there
// are checkpoints, and all are damaged. Unimplemented: it is of a newer version.
absl::StatusOr<FoundResumePoint> FindResumePoint(const std::string& run_dir);

// The highest generation of what earlier lives have left, damaged checkpoints and events too: one
// that goes on must never have that of a life whose steps were taken back. Reads all of the run's
// events. Errors: the system's.
absl::StatusOr<uint64_t> HighestGeneration(const std::string& run_dir);

// The job that the checkpoint is of. InvalidArgument: the manifest's job can't be read.
absl::StatusOr<v1::Job> JobOfCheckpoint(const CheckpointManifest& manifest);

// One line for each field in which `now`, resolved, differs from the job of the checkpoint and must
// not: "optimizer.learning_rate: 0.1 -> 0.2". What may differ is the length of the training, the
// processes and deadlines (cluster), checkpoints, reports and names. Errors as JobOfCheckpoint.
absl::StatusOr<std::vector<std::string>> ChangesOfJob(const CheckpointManifest& manifest,
                                                      const v1::Job& now);

// "" unless the job has a schedule that follows the length of the training (cosine without
// over_examples), and that has changed: says what becomes of it and how to keep the old one.
std::string NoteOnSchedule(const CheckpointManifest& manifest, const v1::Job& now);

// Whether the run in this folder has come to its end, as long as `job` wants.
bool RunIsComplete(const std::string& run_dir, const v1::Job& job);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_RESUME_H_
