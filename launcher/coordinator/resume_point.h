// Where a job goes on.
#ifndef CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_
#define CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_

#include <string>

#include "absl/status/statusor.h"
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

// Reads the manifest of the checkpoint in `folder`. Errors as ParseManifest, or the system's.
absl::StatusOr<ResumePoint> OpenResumePoint(const std::string& folder, const std::string& run);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_RESUME_POINT_H_
