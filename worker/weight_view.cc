#include "worker/weight_view.h"

#include "common/status.h"

namespace convoy {

absl::StatusOr<std::vector<WeightView>> WeightView::Of(WeightSource& weights, size_t variables,
                                                       size_t threads) {
  std::vector<std::span<const float>> values;
  for (size_t v = 0; v < variables; ++v) {
    CONVOY_ASSIGN_OR_RETURN(values.emplace_back(), weights.Weights(static_cast<int>(v)));
  }
  std::vector<WeightView> views;
  for (size_t thread = 0; thread < threads; ++thread) {
    views.push_back(WeightView(values, &weights.RowsOfThread(thread)));
  }
  return views;
}

}  // namespace convoy
