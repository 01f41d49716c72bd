#include "worker/weight_view.h"

#include "common/status.h"

namespace convoy {

absl::StatusOr<WeightView> WeightView::Of(WeightSource& weights, size_t variables) {
  std::vector<std::span<const float>> values;
  for (size_t v = 0; v < variables; ++v) {
    CONVOY_ASSIGN_OR_RETURN(values.emplace_back(), weights.Weights(static_cast<int>(v)));
  }
  return WeightView(std::move(values));
}

}  // namespace convoy
