// A model of one variable, and a weight that it is pulled from and pushed to, for tests of what a
// worker does with the gradients of a model.
#ifndef CONVOY_TESTS_WORKER_ONE_WEIGHT_H_
#define CONVOY_TESTS_WORKER_ONE_WEIGHT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/models/model.h"

namespace convoy {

// A regression of one variable that predicts 0. Its loss is w * x summed over the examples, with x
// the feature of an example and w any element of the variable: each element of the gradient is the
// sum of the features, whatever w is.
class SumModel final : public Model {
 public:
  // x of the example at this place of the batch.
  using Summand = std::function<float(const Batch& batch, size_t place)>;

  SumModel() : SumModel(1, [](const Batch& batch, size_t place) { return batch.dense[place]; }) {}
  SumModel(int64_t elements, Summand summand)
      : summand_(std::move(summand)), variables_{{"w", {elements}, Initializer::Zeros()}} {}

  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    on_train();
    const absl::StatusOr<std::span<const float>> values = weights.Weights(0);
    if (!values.ok()) return values.status();
    seen_weights.push_back(values->front());
    float sum = 0;
    for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) sum += summand_(batch, i);
    const std::span<float> gradient = gradients.Gradient(0);
    std::fill(gradient.begin(), gradient.end(), sum);
    const absl::Status status = gradients.Ready(0, 0, static_cast<int64_t>(gradient.size()));
    if (!status.ok()) return status;
    return Evaluate(batch, weights);
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource&) override {
    predictions_.assign(static_cast<size_t>(batch.size), 0);
    return BatchOutput{0, predictions_, {}};
  }

  std::function<void()> on_train = [] {};  // before anything else of a batch
  std::vector<float> seen_weights;         // the first element, in each batch

 private:
  const Summand summand_;
  const std::vector<VariableSpec> variables_;
  std::vector<float> predictions_;
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
