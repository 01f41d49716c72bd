// `convoy checkpoint list`.
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_LIST_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_LIST_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace convoy {

// A line for each checkpoint, the newest last, then what is damaged or incomplete. Reads manifests
// only. Errors: as ParseCheckpointArgument; NotFound also if there is nothing at all.
absl::StatusOr<std::string> ListText(const std::string& argument, absl::Time now);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_LIST_H_
