#include "worker/models/layered_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/batch_check.h"
#include "worker/models/task_loss.h"

namespace convoy {
namespace {

absl::Status CheckScores(const LayeredModel::Options& options, const LayerStack& layers) {
  if (options.sparse && !layers.accepts_sparse()) {
    return absl::InvalidArgumentError("model: its first layer needs dense features, got sparse");
  }
  const int64_t scores = options.task == Model::Task::kMulticlass ? options.classes : 1;
  if (layers.outputs() == scores) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model: the last layer has ", layers.outputs(), " outputs, want ", scores));
}

const float* InputOf(const Batch& batch) { return batch.sparse ? nullptr : batch.dense.data(); }

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> LayeredModel::Create(Options options) {
  if (options.features < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("model: got ", options.features, " features, want at least 1"));
  }
  if (options.task == Task::kMulticlass && options.classes < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("model: got ", options.classes,
                     " classes, want at least 2; check the labels or set model.classes"));
  }
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<LayerStack> layers,
                          LayerStack::Create(options.features, std::move(options.layers)));
  CONVOY_RETURN_IF_ERROR(CheckScores(options, *layers));
  return std::unique_ptr<Model>(new LayeredModel(std::move(options), std::move(layers)));
}

LayeredModel::LayeredModel(Options options, std::unique_ptr<LayerStack> layers)
    : options_(std::move(options)),
      layers_(std::move(layers)),
      loss_(MakeTaskLoss(options_.task, options_.classes)) {}

absl::Status LayeredModel::CheckLabel(float label, float* mapped) const {
  return loss_->CheckLabel(label, mapped);
}

absl::StatusOr<BatchOutput> LayeredModel::Train(const Batch& batch, WeightSource& weights,
                                                GradientSink& gradients) {
  CONVOY_RETURN_IF_ERROR(CheckTrainingBatch(batch, options_.features, options_.sparse));
  CONVOY_ASSIGN_OR_RETURN(const std::span<const float> scores,
                          layers_->Forward(batch, InputOf(batch), /*training=*/true, weights));
  CONVOY_ASSIGN_OR_RETURN(const BatchOutput output,
                          Output(batch, scores, layers_->OutputGradient(batch.size)));
  CONVOY_RETURN_IF_ERROR(layers_->Backward(batch, InputOf(batch), nullptr, gradients));
  return output;
}

absl::StatusOr<BatchOutput> LayeredModel::Evaluate(const Batch& batch, WeightSource& weights) {
  CONVOY_RETURN_IF_ERROR(CheckBatch(batch, options_.features, options_.sparse));
  if (batch.size == 0) return BatchOutput();
  CONVOY_ASSIGN_OR_RETURN(const std::span<const float> scores,
                          layers_->Forward(batch, InputOf(batch), /*training=*/false, weights));
  return Output(batch, scores, {});
}

absl::StatusOr<BatchOutput> LayeredModel::Output(const Batch& batch, std::span<const float> scores,
                                                 std::span<float> score_gradient) {
  predictions_.Reserve(scores.size());
  const std::span<float> predictions(predictions_.data(), scores.size());
  loss_->Predict(scores, predictions);
  BatchOutput output;
  output.predictions = predictions;
  if (batch.labels.empty()) return output;
  CONVOY_ASSIGN_OR_RETURN(output.loss, loss_->Compute(scores, predictions, batch.labels,
                                                      batch.weights, score_gradient));
  return output;
}

}  // namespace convoy
