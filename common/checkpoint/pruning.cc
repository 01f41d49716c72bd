#include "common/checkpoint/pruning.h"

#include <algorithm>

namespace convoy {

std::vector<uint64_t> StepsToPrune(std::span<const uint64_t> steps, const PruningRule& rule) {
  std::vector<uint64_t> pruned;
  for (size_t i = 0; i < steps.size(); ++i) {
    const bool is_newest = steps.size() - i <= rule.keep_last;
    const bool is_multiple = rule.keep_every > 0 && steps[i] % rule.keep_every == 0;
    const bool is_named =
        std::find(rule.keep.begin(), rule.keep.end(), steps[i]) != rule.keep.end();
    if (!is_newest && !is_multiple && !is_named) pruned.push_back(steps[i]);
  }
  return pruned;
}

}  // namespace convoy
