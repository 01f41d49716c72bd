// The consistency mode of a job, one grammar for command line, job file and reports:
//   sync | async | ssp:S
#ifndef CONVOY_COMMON_MODE_H_
#define CONVOY_COMMON_MODE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace convoy {

struct Mode {
  enum class Kind { kSync, kAsync, kSsp };
  Kind kind = Kind::kSync;
  uint32_t bound = 0;   // kSsp: clocks (batches) a worker may be ahead of the slowest

  bool operator==(const Mode&) const = default;
};

// InvalidArgument: not a mode; the message lists the modes and suggests the nearest.
absl::StatusOr<Mode> ParseMode(std::string_view text);
std::string ToString(const Mode& mode);

}  // namespace convoy

#endif  // CONVOY_COMMON_MODE_H_
