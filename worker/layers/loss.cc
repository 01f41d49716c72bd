#include "worker/layers/loss.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

// log(sum(exp(scores))), without overflow.
double LogSumExp(std::span<const float> scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - largest);
  return largest + std::log(sum);
}

float WeightOf(std::span<const float> weights, size_t example) {
  return weights.empty() ? 1.0f : weights[example];
}

absl::Status BadLabel(float label, int64_t example) {
  return absl::InvalidArgumentError(absl::StrCat("label of example ", example,
                                                 " of the batch: got ", label,
                                                 ", which CheckLabel has not mapped"));
}

}  // namespace

absl::Status SoftmaxCrossEntropy::CheckLabel(float label, float* mapped) const {
  if (!(label >= 0 && label < static_cast<float>(classes_) && label == std::floor(label))) {
    return absl::InvalidArgumentError(
        absl::StrCat("label: got ", label, ", want a class number, an integer from 0 to ",
                     classes_ - 1, "; set model.classes if there are more classes"));
  }
  *mapped = label;
  return absl::OkStatus();
}

void SoftmaxCrossEntropy::Predict(std::span<const float> scores,
                                  std::span<float> predictions) const {
  for (size_t row = 0; row < scores.size(); row += classes_) {
    const double log_sum = LogSumExp(scores.subspan(row, classes_));
    for (size_t i = row; i < row + classes_; ++i) {
      predictions[i] = static_cast<float>(std::exp(scores[i] - log_sum));
    }
  }
}

absl::StatusOr<double> SoftmaxCrossEntropy::Compute(std::span<const float> scores,
                                                    std::span<const float> predictions,
                                                    std::span<const float> labels,
                                                    std::span<const float> weights,
                                                    std::span<float> gradient) const {
  double loss = 0;
  if (!gradient.empty()) std::copy(predictions.begin(), predictions.end(), gradient.begin());
  for (size_t example = 0; example < labels.size(); ++example) {
    float label = 0;
    if (!CheckLabel(labels[example], &label).ok()) return BadLabel(labels[example], example);
    const std::span<const float> row = scores.subspan(example * classes_, classes_);
    const float weight = WeightOf(weights, example);
    loss += weight * (LogSumExp(row) - row[static_cast<size_t>(label)]);
    if (gradient.empty()) continue;
    gradient[example * classes_ + static_cast<size_t>(label)] -= 1;
    if (weights.empty()) continue;
    for (float& g : gradient.subspan(example * classes_, classes_)) g *= weight;
  }
  return loss;
}

absl::Status SigmoidCrossEntropy::CheckLabel(float label, float* mapped) const {
  if (label != 0 && label != 1 && label != -1) {
    return absl::InvalidArgumentError(
        absl::StrCat("label: got ", label, ", want 0 or 1 (or -1 or +1) for two classes"));
  }
  *mapped = label > 0 ? 1 : 0;
  return absl::OkStatus();
}

void SigmoidCrossEntropy::Predict(std::span<const float> scores,
                                  std::span<float> predictions) const {
  for (size_t i = 0; i < scores.size(); ++i) {
    predictions[i] = static_cast<float>(1 / (1 + std::exp(-static_cast<double>(scores[i]))));
  }
}

absl::StatusOr<double> SigmoidCrossEntropy::Compute(std::span<const float> scores,
                                                    std::span<const float> predictions,
                                                    std::span<const float> labels,
                                                    std::span<const float> weights,
                                                    std::span<float> gradient) const {
  double loss = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != 0 && labels[i] != 1) return BadLabel(labels[i], i);
    // -log(sigmoid(z)) with z the score of the right class, without overflow.
    const double z = labels[i] == 1 ? scores[i] : -static_cast<double>(scores[i]);
    const float weight = WeightOf(weights, i);
    loss += weight * (std::log1p(std::exp(-std::abs(z))) + std::max(-z, 0.0));
    if (!gradient.empty()) gradient[i] = weight * (predictions[i] - labels[i]);
  }
  return loss;
}

absl::Status SquaredError::CheckLabel(float label, float* mapped) const {
  if (!std::isfinite(label)) {
    return absl::InvalidArgumentError(absl::StrCat("label: got ", label, ", want a finite number"));
  }
  *mapped = label;
  return absl::OkStatus();
}

void SquaredError::Predict(std::span<const float> scores, std::span<float> predictions) const {
  std::copy(scores.begin(), scores.end(), predictions.begin());
}

absl::StatusOr<double> SquaredError::Compute(std::span<const float> scores,
                                             std::span<const float> /*predictions*/,
                                             std::span<const float> labels,
                                             std::span<const float> weights,
                                             std::span<float> gradient) const {
  double loss = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double error = static_cast<double>(scores[i]) - labels[i];
    const float weight = WeightOf(weights, i);
    loss += weight * (error * error);
    if (!gradient.empty()) gradient[i] = static_cast<float>(2 * weight * error);
  }
  return loss;
}

}  // namespace convoy
