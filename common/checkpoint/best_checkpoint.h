// Which checkpoint of a run has the best validation: RUN_DIR@best.
#ifndef CONVOY_COMMON_CHECKPOINT_BEST_CHECKPOINT_H_
#define CONVOY_COMMON_CHECKPOINT_BEST_CHECKPOINT_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/manifest.h"

namespace convoy {

// What stands for a step in RUN_DIR@STEP.
inline constexpr char kBestStep[] = "best";

// What the last step of the newest generation in the folder `checkpoints` says of it, of those that
// can be read. NotFound: it says nothing, e.g. since the job does not follow a metric.
absl::StatusOr<CheckpointBest> ReadBest(const std::string& checkpoints);
// The checkpoint. NotFound also if it is not there any more.
absl::StatusOr<StoredCheckpoint> FindBestCheckpoint(const std::string& checkpoints);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_BEST_CHECKPOINT_H_
