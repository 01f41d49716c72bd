// The folder of a run's checkpoints (docs/checkpoints.md): names, and what is complete. Removal
// goes by a temporary name too, so that nothing incomplete ever has the name of a checkpoint.
#ifndef CONVOY_COMMON_CHECKPOINT_CHECKPOINT_DIRECTORY_H_
#define CONVOY_COMMON_CHECKPOINT_CHECKPOINT_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace convoy {

// Of a run directory: RUN_DIR/checkpoints.
inline constexpr char kCheckpointsFolder[] = "checkpoints";

// "step-00001200": 8 digits or more.
std::string CheckpointName(uint64_t step);
// ".step-00000007.g2": while it is written by generation 2, which gives each one another number:
// its step may not be known yet.
std::string TemporaryCheckpointName(uint64_t number, uint64_t generation);
// The step of a name that CheckpointName gives; nothing for any other name.
std::optional<uint64_t> StepOfCheckpointName(std::string_view name);
// Whether the name is a temporary one: being written, or being removed.
bool IsTemporaryCheckpointName(std::string_view name);

struct StoredCheckpoint {
  uint64_t step = 0;
  std::string path;  // of its folder
};

// The complete ones in the folder `checkpoints`, ascending: those that have a manifest.json,
// whatever is in it. None if there is no such folder. Errors: the system's.
absl::StatusOr<std::vector<StoredCheckpoint>> ListCheckpoints(const std::string& checkpoints);
// Paths of what is in the folder and incomplete: temporary names, and names of checkpoints without
// manifest.json; ascending.
absl::StatusOr<std::vector<std::string>> ListIncomplete(const std::string& checkpoints);

// Removes what has a temporary name, and says what it was (paths). Only the process that writes
// checkpoints there may call this.
absl::StatusOr<std::vector<std::string>> RemoveTemporaries(const std::string& checkpoints);
// Removes the checkpoint at `path`. Killed half-way, it leaves a temporary name. NotFound: it is
// not there.
absl::Status RemoveCheckpoint(const std::string& path);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_CHECKPOINT_DIRECTORY_H_
