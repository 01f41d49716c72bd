// Weights that are all there, to be read by several threads at a time.
#ifndef CONVOY_WORKER_WEIGHT_VIEW_H_
#define CONVOY_WORKER_WEIGHT_VIEW_H_

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/layers/weights.h"

namespace convoy {

// Valid for as long as the values that it was taken of. Any thread.
class WeightView final : public WeightSource {
 public:
  // Waits for all `variables` of `weights`.
  static absl::StatusOr<WeightView> Of(WeightSource& weights, size_t variables);

  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return values_[static_cast<size_t>(variable)];
  }

 private:
  explicit WeightView(std::vector<std::span<const float>> values) : values_(std::move(values)) {}

  std::vector<std::span<const float>> values_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_WEIGHT_VIEW_H_
