// The consistency mode of a job, one grammar for command line, job file and reports:
//
//   sync | sync,backup=B | async | async,scale_by_staleness | ssp:S | local_sgd:K | geo:K | single
#ifndef CONVOY_COMMON_MODE_H_
#define CONVOY_COMMON_MODE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace convoy {

struct Mode {
  enum class Kind { kSync, kAsync, kSsp, kLocalSgd, kGeo, kSingle };
  Kind kind = Kind::kSync;
  uint32_t bound = 0;               // kSsp: clocks (batches) a worker may be ahead of the slowest
  uint32_t local_steps = 1;         // kLocalSgd, kGeo: steps between two exchanges, at least 1
  uint32_t backup = 0;              // kSync: slices of a step that nobody waits for
  bool scale_by_staleness = false;  // kAsync: rate / (1 + staleness)

  // All slices take step after step together; otherwise workers take data tasks.
  bool rounds() const {
    return kind == Kind::kSync || kind == Kind::kLocalSgd || kind == Kind::kSingle;
  }
  // Workers take steps of their own and send how far they came.
  bool local() const { return kind == Kind::kLocalSgd || kind == Kind::kGeo; }
  // One process and no servers.
  bool single() const { return kind == Kind::kSingle; }

  bool operator==(const Mode&) const = default;
};

// For help texts.
inline constexpr char kModeNames[] =
    "sync, sync,backup=B, async, async,scale_by_staleness, ssp:S, local_sgd:K, geo:K, single";

// InvalidArgument: not a mode; the message lists the modes and suggests the nearest.
absl::StatusOr<Mode> ParseMode(std::string_view text);
std::string ToString(const Mode& mode);

}  // namespace convoy

#endif  // CONVOY_COMMON_MODE_H_
