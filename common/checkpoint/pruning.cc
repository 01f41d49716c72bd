#include "common/checkpoint/pruning.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/base_checkpoint.h"

namespace convoy {

std::vector<uint64_t> StepsToPrune(std::span<const uint64_t> steps, const PruningRule& rule) {
  std::vector<uint64_t> pruned;
  std::set<uint64_t> bases;  // of those that are kept
  for (size_t i = steps.size(); i-- > 0;) {
    const uint64_t step = steps[i];
    const bool is_newest = steps.size() - i <= rule.keep_last;
    const bool is_multiple = rule.keep_every > 0 && step % rule.keep_every == 0;
    const bool is_named = std::find(rule.keep.begin(), rule.keep.end(), step) != rule.keep.end();
    if (is_newest || is_multiple || is_named || bases.contains(step)) {
      const auto base = rule.bases.find(step);
      if (base != rule.bases.end()) bases.insert(base->second);
    } else {
      pruned.push_back(step);
    }
  }
  std::reverse(pruned.begin(), pruned.end());
  return pruned;
}

absl::StatusOr<std::vector<uint64_t>> StepsToPrune(std::span<const StoredCheckpoint> checkpoints,
                                                   PruningRule rule) {
  std::vector<uint64_t> steps;
  for (const StoredCheckpoint& checkpoint : checkpoints) steps.push_back(checkpoint.step);
  CheckpointBases bases = BasesOf(checkpoints);
  rule.bases = std::move(bases.known);
  std::vector<uint64_t> pruned = StepsToPrune(steps, rule);
  if (pruned.empty()) return pruned;
  for (const auto& [step, why] : bases.unknown) {
    if (std::binary_search(pruned.begin(), pruned.end(), step)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("nothing was removed, since what ", CheckpointName(step),
                     " needs of the others can't be told: ", std::string(why.message())));
  }
  return pruned;
}

}  // namespace convoy
