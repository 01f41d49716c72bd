// `convoy checkpoint verify`.
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_VERIFY_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_VERIFY_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/checkpoint/checkpoint_directory.h"

namespace convoy {

// Reads every byte of the checkpoints, the newest first; `print` gets the verdict on each as it is
// known. The error of the only one; DataLoss of several: says how many are damaged and which one
// can be used.
absl::Status VerifyCheckpoints(const std::vector<StoredCheckpoint>& checkpoints,
                               absl::FunctionRef<void(const std::string&)> print);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_VERIFY_H_
