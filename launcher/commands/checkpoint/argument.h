// Which checkpoints are meant by an argument of `convoy checkpoint`:
//
//   RUN_DIR                         those of a run; where one is wanted, the newest
//   RUN_DIR@STEP                    the one of that step
//   RUN_DIR@best                    the one of the best validation (checkpoint.best)
//   RUN_DIR/checkpoints[@STEP]      the same
//   RUN_DIR/checkpoints/step-N      that one, also if it was moved elsewhere
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_ARGUMENT_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_ARGUMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_directory.h"

namespace convoy {

struct CheckpointArgument {
  std::string checkpoints;              // the folder of all; empty: only `one` is known
  std::optional<StoredCheckpoint> one;  // if the argument names one
};

// NotFound, InvalidArgument: what there is not, and what there is instead. The checkpoint that is
// named is complete, but may be damaged.
absl::StatusOr<CheckpointArgument> ParseCheckpointArgument(const std::string& argument);

// The one that is named, or the newest. NotFound: there is none.
absl::StatusOr<StoredCheckpoint> OneCheckpoint(const std::string& argument);
// The one that is named, or all, ascending. NotFound: there is none.
absl::StatusOr<std::vector<StoredCheckpoint>> AllCheckpoints(const std::string& argument);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_ARGUMENT_H_
