#include "common/checkpoint/best_checkpoint.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<CheckpointBest> ReadBest(const std::string& checkpoints) {
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> all, ListCheckpoints(checkpoints));
  // Not that of the last step: one that was damaged may be left over from before the job went on
  // from an earlier one, in a later generation.
  std::optional<CheckpointManifest> newest;
  for (const StoredCheckpoint& checkpoint : all) {
    absl::StatusOr<CheckpointManifest> manifest = ReadManifest(checkpoint.path);
    if (!manifest.ok()) continue;
    if (!newest || manifest->generation >= newest->generation) newest = *std::move(manifest);
  }
  if (newest && newest->best) return *newest->best;
  return absl::NotFoundError(
      absl::StrCat("no checkpoint in ", checkpoints,
                   " is the best one: there was no validation yet, or the job follows no metric "
                   "(checkpoint.best, training.early_stopping)"));
}

absl::StatusOr<StoredCheckpoint> FindBestCheckpoint(const std::string& checkpoints) {
  CONVOY_ASSIGN_OR_RETURN(const CheckpointBest best, ReadBest(checkpoints));
  CONVOY_ASSIGN_OR_RETURN(const std::vector<StoredCheckpoint> all, ListCheckpoints(checkpoints));
  for (const StoredCheckpoint& checkpoint : all) {
    if (checkpoint.step == best.step) return checkpoint;
  }
  return absl::NotFoundError(absl::StrCat("the best checkpoint, of step ", best.step,
                                          ", is not in ", checkpoints, " any more"));
}

}  // namespace convoy
