// The folder of a comparison.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_COMPARE_FOLDER_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_COMPARE_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"

namespace convoy {

// Makes the folder if it is not there, and keeps other comparisons out as long as the descriptor
// lives. FailedPrecondition: another one is at work there (its pid is named), or there are runs
// that are not of a comparison.
absl::StatusOr<OwnedFd> OpenCompareFolder(const std::string& folder);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_COMPARE_FOLDER_H_
