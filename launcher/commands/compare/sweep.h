// --sweep learning_rate=0.01,0.03,0.1.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_SWEEP_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_SWEEP_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace convoy {

// The rates, ascending, each once. "": none. InvalidArgument: says what was expected.
absl::StatusOr<std::vector<double>> ParseSweep(std::string_view text);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_SWEEP_H_
