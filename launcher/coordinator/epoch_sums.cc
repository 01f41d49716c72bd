#include "launcher/coordinator/epoch_sums.h"

#include <utility>

#include "common/metrics/metrics.h"

namespace convoy {

void EpochSums::Add(uint64_t epoch, uint64_t first, uint64_t begin, uint64_t end,
                    v1::MetricSums sums) {
  if (any_ && epoch < epoch_) return;
  if (!any_ || epoch > epoch_) {
    any_ = true;
    epoch_ = epoch;
    folded_until_ = first;
    folded_.Clear();
    later_.clear();
  }
  later_[begin] = {end, std::move(sums)};
  while (!later_.empty() && later_.begin()->first <= folded_until_) {
    const auto next = later_.begin();
    MergeSums(next->second.sums, &folded_);
    folded_until_ = next->second.end;
    later_.erase(next);
  }
}

v1::MetricSums EpochSums::Total() const {
  v1::MetricSums total = folded_;
  for (const auto& [begin, piece] : later_) MergeSums(piece.sums, &total);
  return total;
}

}  // namespace convoy
