#include "worker/models/tables/deep_part.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/mlp.h"

namespace convoy {
namespace {

constexpr int64_t kMaxFields = 4096;

void AddScaled(const float* __restrict values, float scale, int64_t count, float* __restrict sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += scale * values[i];
}

absl::StatusOr<int64_t> FieldsOf(const DeepPart::Options& options, const ModelInput& input) {
  const int64_t fields = options.fields > 0 ? options.fields : std::max<int64_t>(1, input.fields);
  if (fields < input.fields) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.model, ".fields: got ", fields, ", but the data have ", input.fields));
  }
  if (fields <= kMaxFields) return fields;
  return absl::InvalidArgumentError(
      absl::StrCat(options.model, ": got ", fields, " fields, want at most ", kMaxFields));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DeepPart>> DeepPart::Create(const Options& options,
                                                           const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckDropoutRate(options.model + ".dropout", options.dropout));
  CONVOY_ASSIGN_OR_RETURN(const int64_t fields, FieldsOf(options, input));
  const std::vector<uint32_t> hidden =
      options.hidden.empty() ? std::vector<uint32_t>{128, 64} : options.hidden;
  std::vector<std::unique_ptr<Layer>> layers;
  int64_t width = fields * options.columns;
  int number = 0;
  for (const uint32_t units : hidden) {
    if (units == 0) {
      return absl::InvalidArgumentError(options.model + ".hidden: got 0, want at least 1");
    }
    AppendHiddenLayer(
        {absl::StrCat("layer", ++number), width, units, v1::RELU, options.dropout, input.seed},
        &layers);
    width = units;
  }
  AppendHead(width, 1, &layers);
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<LayerStack> stack,
                          LayerStack::Create(fields * options.columns, std::move(layers)));
  return std::unique_ptr<DeepPart>(new DeepPart(options, fields, std::move(stack)));
}

DeepPart::DeepPart(const Options& options, int64_t fields, std::unique_ptr<LayerStack> layers)
    : model_(options.model),
      fields_(fields),
      columns_(options.columns),
      layers_(std::move(layers)) {}

absl::Status DeepPart::CheckFields(const Batch& batch) const {
  if (batch.fields.empty()) {
    if (fields_ == 1 || batch.values.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("batch: got values without fields, but ", model_, " has ", fields_,
                     " fields; data without fields are one field: leave ", model_, ".fields out"));
  }
  const uint32_t largest = *std::ranges::max_element(batch.fields);
  if (largest < fields_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "batch: got field ", largest, ", want less than the ", fields_, " fields of ", model_));
}

int64_t DeepPart::FieldOf(const Batch& batch, int64_t place) const {
  return batch.fields.empty() ? 0 : batch.fields[place];
}

absl::Status DeepPart::AddScores(const Batch& batch, const Places& places,
                                 std::span<const float> rows, int64_t dim, bool training,
                                 WeightSource& weights, std::span<float> scores) {
  const int64_t width = fields_ * columns_;
  input_.Reserve(batch.size * width);
  std::fill_n(input_.data(), batch.size * width, 0.0f);
  for (int64_t example = 0; example < batch.size; ++example) {
    float* const fields = input_.data() + example * width;
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      const float* const embedding = rows.data() + (places.rows[p] + int64_t{1}) * dim - columns_;
      AddScaled(embedding, places.values[p], columns_, fields + FieldOf(batch, p) * columns_);
    }
  }
  CONVOY_ASSIGN_OR_RETURN(const std::span<const float> output,
                          layers_->Forward(batch, input_.data(), training, weights));
  for (size_t i = 0; i < output.size(); ++i) scores[i] += output[i];
  return absl::OkStatus();
}

absl::Status DeepPart::Backward(const Batch& batch, std::span<const float> score_gradient,
                                GradientSink& gradients) {
  std::ranges::copy(score_gradient, layers_->OutputGradient(batch.size).begin());
  input_gradient_.Reserve(batch.size * fields_ * columns_);
  return layers_->Backward(batch, input_.data(), input_gradient_.data(), gradients);
}

void DeepPart::AddRowGradients(const Batch& batch, const Places& places, int64_t dim,
                               std::span<float> row_gradients) const {
  for (int64_t example = 0; example < batch.size; ++example) {
    const float* const fields = input_gradient_.data() + example * fields_ * columns_;
    for (int64_t p = places.offsets[example]; p < places.offsets[example + 1]; ++p) {
      float* const row = row_gradients.data() + (places.rows[p] + int64_t{1}) * dim - columns_;
      AddScaled(fields + FieldOf(batch, p) * columns_, places.values[p], columns_, row);
    }
  }
}

}  // namespace convoy
