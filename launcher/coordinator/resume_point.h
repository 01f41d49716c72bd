// Where a job goes on.
#ifndef CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_
#define CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/checkpoint/manifest.h"

namespace convoy {

struct ResumePoint {
  std::string folder;  // of the checkpoint, absolute
  CheckpointManifest manifest;
  std::string run;  // the run directory it is in
  // Another number of slices is allowed, although the results are then not those of the training
  // that was interrupted.
  bool allow_changes = false;
};

// What the launcher knows of the lives of the job before it started all processes again.
struct EarlierLives {
  uint32_t restarts = 0;                               // so far
  uint64_t generation = 0;                             // the highest that may have been in use
  std::string cause;                                   // of the last restart
  absl::Time training_start = absl::InfiniteFuture();  // the first; InfiniteFuture: never yet
};

// Reads the manifest of the checkpoint in `folder`. Errors as ParseManifest, or the system's.
absl::StatusOr<ResumePoint> OpenResumePoint(const std::string& folder, const std::string& run);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_
