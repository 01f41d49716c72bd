// `convoy checkpoint inspect`.
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_INSPECT_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_INSPECT_H_

#include <string>

#include "absl/time/time.h"
#include "common/checkpoint/checkpoint_reader.h"

namespace convoy {

// What the manifest says, in words, and the variables and tables.
std::string InspectText(const CheckpointReader& checkpoint, absl::Time now);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_INSPECT_H_
