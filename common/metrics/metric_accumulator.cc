#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "common/metrics/metrics.h"
#include "common/metrics/own_metrics.h"
#include "common/metrics/scores.h"

namespace convoy {
namespace {

int64_t LargestOutput(std::span<const float> outputs) {
  const auto largest = std::max_element(outputs.begin(), outputs.end(), ScoreLess);
  return largest - outputs.begin();
}

}  // namespace

MetricAccumulator::MetricAccumulator(int64_t classes, bool keep_scores, uint64_t exact_auc_examples)
    : classes_(std::max<int64_t>(0, classes)),
      keep_scores_(keep_scores && classes == 2),
      exact_auc_examples_(exact_auc_examples),
      confusion_(static_cast<size_t>(classes_ * classes_)) {}

void MetricAccumulator::Add(double loss, std::span<const float> predictions, int64_t outputs,
                            std::span<const float> labels) {
  const size_t stride = static_cast<size_t>(outputs);
  assert(outputs >= 1 && predictions.size() == labels.size() * stride);
  sums_.set_examples(sums_.examples() + labels.size());
  sums_.set_loss(sums_.loss() + loss);
  for (size_t i = 0; i < labels.size(); ++i) {
    AddExample(predictions.subspan(i * stride, stride), labels[i]);
  }
}

void MetricAccumulator::AddExample(std::span<const float> prediction, float label) {
  if (classes_ == 0) {
    const double difference = double{prediction[0]} - double{label};
    sums_.set_squared_error(sums_.squared_error() + difference * difference);
    return;
  }
  const bool binary = prediction.size() == 1;
  const float truth = binary ? (label > 0 ? 1.0f : 0.0f) : label;
  if (!(truth >= 0 && truth < static_cast<float>(classes_) && std::floor(truth) == truth)) return;
  const int64_t predicted = binary ? (prediction[0] >= 0.5f ? 1 : 0) : LargestOutput(prediction);
  if (predicted >= classes_) return;
  ++confusion_[static_cast<size_t>(static_cast<int64_t>(truth) * classes_ + predicted)];
  if (keep_scores_) AddScore(binary ? prediction[0] : prediction[1], truth == 1.0f);
}

void MetricAccumulator::AddScore(float score, bool positive) {
  if (HasBins(sums_)) return AddToBins(score, positive ? 1 : 0, positive ? 0 : 1, &sums_);
  scores_.emplace_back(score, positive);
  if (scores_.size() <= exact_auc_examples_) return;
  for (const auto& [kept, kept_positive] : std::exchange(scores_, {})) {
    AddToBins(kept, kept_positive ? 1 : 0, kept_positive ? 0 : 1, &sums_);
  }
}

void MetricAccumulator::AddOwn(std::span<const std::string> names, std::span<const double> sums) {
  assert(names.size() == sums.size());
  for (size_t i = 0; i < names.size(); ++i) AddToOwn(names[i], sums[i], &sums_);
}

v1::MetricSums MetricAccumulator::Sums() const {
  v1::MetricSums sums = sums_;
  sums.set_classes(static_cast<uint32_t>(classes_));
  sums.mutable_confusion()->Assign(confusion_.begin(), confusion_.end());
  return sums;
}

void MetricAccumulator::Restore(const v1::MetricSums& sums) {
  sums_ = sums;
  sums_.clear_confusion();
  if (static_cast<size_t>(sums.confusion_size()) != confusion_.size()) return;
  std::copy(sums.confusion().begin(), sums.confusion().end(), confusion_.begin());
}

v1::MetricSums MetricAccumulator::Take() {
  sums_.set_classes(static_cast<uint32_t>(classes_));
  sums_.mutable_confusion()->Assign(confusion_.begin(), confusion_.end());
  std::fill(confusion_.begin(), confusion_.end(), uint64_t{0});
  StoreRuns(std::exchange(scores_, {}), &sums_);
  return std::exchange(sums_, {});
}

}  // namespace convoy
