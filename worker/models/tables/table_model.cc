#include "worker/models/tables/table_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/batch_check.h"
#include "worker/models/tables/id_batch.h"
#include "worker/models/task_loss.h"

namespace convoy {

TableModel::TableModel(Task task) : task_(task), loss_(MakeTaskLoss(task, 1)) {}

int TableModel::AddVariable(VariableSpec variable) {
  variables_.push_back(std::move(variable));
  return static_cast<int>(variables_.size()) - 1;
}

int TableModel::AddTable(TableSpec table) {
  tables_.push_back(std::move(table));
  rows_.emplace_back();
  return static_cast<int>(tables_.size()) - 1;
}

int TableModel::AddBias(float start) {
  return AddVariable(
      {"bias", {1}, start == 0 ? Initializer::Zeros() : Initializer::Constant(start)});
}

void TableModel::AppendIds(const Batch& batch, int /*table*/, std::vector<uint64_t>* ids) const {
  if (Check(batch, /*training=*/false).ok()) AppendPlaceIds(batch, ids);
}

absl::Status TableModel::CheckLabel(float label, float* mapped) const {
  return loss_->CheckLabel(label, mapped);
}

absl::Status TableModel::CheckExamples(const Batch&) const { return absl::OkStatus(); }

int64_t TableModel::PlacesOf(const Batch& batch) const {
  return static_cast<int64_t>(batch.values.size());
}

absl::Status TableModel::Check(const Batch& batch, bool training) const {
  CONVOY_RETURN_IF_ERROR(training ? CheckIdTrainingBatch(batch) : CheckIdBatch(batch));
  return CheckExamples(batch);
}

absl::StatusOr<BatchOutput> TableModel::Train(const Batch& batch, WeightSource& weights,
                                              GradientSink& gradients) {
  CONVOY_RETURN_IF_ERROR(Check(batch, /*training=*/true));
  CONVOY_ASSIGN_OR_RETURN(const BatchOutput output, Forward(batch, /*training=*/true, weights));
  const std::span<const float> score_gradient(score_gradient_.data(), batch.labels.size());
  CONVOY_RETURN_IF_ERROR(Gradients(batch, score_gradient, gradients));
  return output;
}

absl::StatusOr<BatchOutput> TableModel::Evaluate(const Batch& batch, WeightSource& weights) {
  CONVOY_RETURN_IF_ERROR(Check(batch, /*training=*/false));
  if (batch.size == 0) return BatchOutput();
  return Forward(batch, /*training=*/false, weights);
}

absl::StatusOr<BatchOutput> TableModel::Forward(const Batch& batch, bool training,
                                                WeightSource& weights) {
  for (size_t t = 0; t < tables_.size(); ++t) {
    CONVOY_ASSIGN_OR_RETURN(rows_[t], weights.Rows(static_cast<int>(t)));
    CONVOY_RETURN_IF_ERROR(CheckTableRows(tables_[t], rows_[t], PlacesOf(batch)));
  }
  const auto size = static_cast<size_t>(batch.size);
  for (AlignedBuffer* buffer : {&scores_, &predictions_, &score_gradient_}) buffer->Reserve(size);
  const std::span<float> scores(scores_.data(), size), predictions(predictions_.data(), size);
  std::ranges::fill(scores, 0.0f);
  CONVOY_RETURN_IF_ERROR(AddScores(batch, training, weights, scores));
  loss_->Predict(scores, predictions);
  BatchOutput output;
  output.predictions = predictions;
  if (batch.labels.empty()) return output;
  const std::span<float> gradient(score_gradient_.data(), training ? size : 0);
  CONVOY_ASSIGN_OR_RETURN(
      output.loss, loss_->Compute(scores, predictions, batch.labels, batch.weights, gradient));
  return output;
}

Places TableModel::PlacesIn(const Batch& batch, int table) const {
  return {batch.row_offsets, batch.values, rows(table).places};
}

absl::StatusOr<std::span<float>> TableModel::ZeroedGradients(int table,
                                                             GradientSink& gradients) const {
  const std::span<float> memory = gradients.RowGradients(table);
  if (memory.size() != rows(table).values.size()) {
    return absl::InternalError(absl::StrCat("memory for the gradients of the rows of table \"",
                                            tables_[static_cast<size_t>(table)].name, "\": got ",
                                            memory.size(), " values, want ",
                                            rows(table).values.size()));
  }
  std::ranges::fill(memory, 0.0f);
  return memory;
}

absl::Status TableModel::AddBiasTo(int bias, WeightSource& weights, std::span<float> scores) {
  CONVOY_ASSIGN_OR_RETURN(const std::span<const float> value, weights.Weights(bias));
  CONVOY_RETURN_IF_ERROR(CheckVariableMemory({"bias", {1}, {}}, value));
  for (float& score : scores) score += value[0];
  return absl::OkStatus();
}

absl::Status TableModel::BiasGradient(int bias, std::span<const float> score_gradient,
                                      GradientSink& gradients) {
  float sum = 0;
  for (const float gradient : score_gradient) sum += gradient;
  const std::span<float> memory = gradients.Gradient(bias);
  CONVOY_RETURN_IF_ERROR(CheckVariableMemory({"bias", {1}, {}}, memory));
  memory[0] = sum;
  return gradients.Ready(bias, 0, 1);
}

}  // namespace convoy
