// A model of one weight, and what it is pulled from and pushed to, for tests of the steps that a
// worker takes itself.
#ifndef CONVOY_TESTS_WORKER_ONE_WEIGHT_H_
#define CONVOY_TESTS_WORKER_ONE_WEIGHT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "common/aligned_buffer.h"
#include "worker/local_steps.h"

namespace convoy {

// One weight w, loss w * x summed over the examples: the gradient is the sum of the features,
// whatever w is.
class SumModel final : public Model {
 public:
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    seen_weights.push_back((*weights.Weights(0))[0]);
    float sum = 0;
    for (int64_t i = 0; i < batch.size; ++i) sum += batch.dense[static_cast<size_t>(i)];
    gradients.Gradient(0)[0] = sum;
    EXPECT_TRUE(gradients.Ready(0, 0, 1).ok());
    return BatchOutput();
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch&, WeightSource&) override {
    return BatchOutput();
  }

  std::vector<float> seen_weights;

 private:
  const std::vector<VariableSpec> variables_ = {{"w", {1}, Initializer::Zeros()}};
};

class Pulled final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int) override {
    return std::span<const float>(&value, 1);
  }
  float value = 10;
};

class Sent final : public GradientSink {
 public:
  std::span<float> Gradient(int) override { return {&value, 1}; }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  absl::Status RowsReady(int) override {
    ++tables;
    return absl::OkStatus();
  }
  float value = 0;
  int tables = 0;
};

inline Batch BatchOf(const std::vector<float>& features) {
  Batch batch;
  batch.size = static_cast<int64_t>(features.size());
  batch.features = 1;
  batch.dense = AlignedBuffer(features.size());
  std::copy(features.begin(), features.end(), batch.dense.data());
  return batch;
}

}  // namespace convoy

#endif  // CONVOY_TESTS_WORKER_ONE_WEIGHT_H_
