#include "launcher/coordinator/epoch_sums.h"

#include <utility>

#include "common/metrics/metrics.h"

namespace convoy {

void EpochSums::Add(uint64_t epoch, uint64_t first, uint64_t begin, uint64_t end,
                    v1::MetricSums sums) {
  if (state_.any && epoch < state_.epoch) return;
  if (!state_.any || epoch > state_.epoch) {
    state_.any = true;
    state_.epoch = epoch;
    state_.folded_until = first;
    state_.folded.Clear();
    state_.later.clear();
  }
  state_.later[begin] = {end, std::move(sums)};
  while (!state_.later.empty() && state_.later.begin()->first <= state_.folded_until) {
    const auto next = state_.later.begin();
    MergeSums(next->second.sums, &state_.folded);
    state_.folded_until = next->second.end;
    state_.later.erase(next);
  }
}

v1::MetricSums EpochSums::Total() const {
  v1::MetricSums total = state_.folded;
  for (const auto& [begin, piece] : state_.later) MergeSums(piece.sums, &total);
  return total;
}

}  // namespace convoy
