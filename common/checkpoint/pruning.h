// Which checkpoints a run keeps.
#ifndef CONVOY_COMMON_CHECKPOINT_PRUNING_H_
#define CONVOY_COMMON_CHECKPOINT_PRUNING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_directory.h"

namespace convoy {

// A checkpoint is kept if any of these says so, or if it is the base of one that is kept.
struct PruningRule {
  size_t keep_last = 1;             // the newest ones
  uint64_t keep_every = 0;          // steps that are multiples of this; 0: none for that reason
  std::vector<uint64_t> keep = {};  // these steps, e.g. the best
  std::map<uint64_t, uint64_t> bases = {};  // by step of a delta checkpoint, that of its base
};

// Those of `steps`, ascending, that the rule does not keep, ascending.
std::vector<uint64_t> StepsToPrune(std::span<const uint64_t> steps, const PruningRule& rule);

// The same of checkpoints whose bases are read. FailedPrecondition: none may go, since it can't be
// told which of them one that stays needs.
absl::StatusOr<std::vector<uint64_t>> StepsToPrune(std::span<const StoredCheckpoint> checkpoints,
                                                   PruningRule rule);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_PRUNING_H_
