// `convoy checkpoint prune`.
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_PRUNE_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_PRUNE_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/pruning.h"

namespace convoy {

// Removes the checkpoints that the rule does not keep, or with `dry_run` only says which. `print`
// gets a line for each and the sum. FailedPrecondition: all that would be kept are damaged, so
// nothing was removed.
absl::Status PruneCheckpoints(const std::vector<StoredCheckpoint>& checkpoints,
                              const PruningRule& rule, bool dry_run,
                              absl::FunctionRef<void(const std::string&)> print);

// What a process that was killed while it saved or removed a checkpoint has left in the folder.
// Nobody may be writing there.
absl::Status PruneLeftovers(const std::string& checkpoints, bool dry_run,
                            absl::FunctionRef<void(const std::string&)> print);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_PRUNE_H_
