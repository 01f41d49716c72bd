#include "worker/models/simple_model.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "worker/models/batch_check.h"
#include "worker/models/task_loss.h"

namespace convoy {

SimpleModel::SimpleModel(Task task, int64_t outputs, const ModelInput& input)
    : task_(task),
      outputs_(outputs),
      features_(input.features),
      sparse_(input.sparse),
      labels_(MakeTaskLoss(task, outputs)) {}

int SimpleModel::AddVariable(std::string name, std::vector<int64_t> shape,
                             Initializer initializer) {
  variables_.push_back({std::move(name), std::move(shape), initializer});
  return static_cast<int>(variables_.size()) - 1;
}

int SimpleModel::AddMetric(std::string name) {
  metrics_.push_back(std::move(name));
  metric_sums_.push_back(0);
  return static_cast<int>(metrics_.size()) - 1;
}

absl::Status SimpleModel::CheckLabel(float label, float* mapped) const {
  return labels_->CheckLabel(label, mapped);
}

absl::StatusOr<BatchOutput> SimpleModel::Train(const Batch& batch, WeightSource& weights,
                                               GradientSink& gradients) {
  CONVOY_RETURN_IF_ERROR(CheckTrainingBatch(batch, features_, sparse_));
  std::vector<std::span<float>> memory;
  for (size_t v = 0; v < variables_.size(); ++v) {
    memory.push_back(gradients.Gradient(static_cast<int>(v)));
    CONVOY_RETURN_IF_ERROR(CheckVariableMemory(variables_[v], memory[v]));
    std::ranges::fill(memory[v], 0.0f);
  }
  CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, Run(batch, weights, memory));
  for (size_t v = 0; v < variables_.size(); ++v) {
    CONVOY_RETURN_IF_ERROR(gradients.Ready(static_cast<int>(v), 0, variables_[v].size()));
  }
  return output;
}

absl::StatusOr<BatchOutput> SimpleModel::Evaluate(const Batch& batch, WeightSource& weights) {
  CONVOY_RETURN_IF_ERROR(CheckBatch(batch, features_, sparse_));
  return Run(batch, weights, {});
}

absl::StatusOr<BatchOutput> SimpleModel::Run(const Batch& batch, WeightSource& weights,
                                             std::span<const std::span<float>> gradients) {
  std::ranges::fill(metric_sums_, 0.0);
  BatchOutput output;
  output.metrics = metric_sums_;
  if (batch.size == 0) return output;
  std::vector<std::span<const float>> values;
  for (size_t v = 0; v < variables_.size(); ++v) {
    CONVOY_ASSIGN_OR_RETURN(values.emplace_back(), weights.Weights(static_cast<int>(v)));
    CONVOY_RETURN_IF_ERROR(CheckVariableMemory(variables_[v], values[v]));
  }
  predictions_.Reserve(batch.size * outputs_);
  const std::span<float> predictions(predictions_.data(), batch.size * outputs_);
  CONVOY_ASSIGN_OR_RETURN(output.loss, Compute(batch, values, gradients, predictions));
  output.predictions = predictions;
  return output;
}

}  // namespace convoy
