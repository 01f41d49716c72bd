// From an error to the exit code of the README's table.
#ifndef CONVOY_LAUNCHER_COMMANDS_EXIT_CODE_H_
#define CONVOY_LAUNCHER_COMMANDS_EXIT_CODE_H_

#include "absl/status/status.h"

namespace convoy {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadUsage = 2;
inline constexpr int kExitStopped = 128 + 15;  // on request: as after SIGTERM

// Prints `convoy: <message>`, or the lines of a list of errors as they are, on standard error and
// returns `code`, or 0 for OK.
int Fail(const absl::Status& status, int code = kExitFailed);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_EXIT_CODE_H_
