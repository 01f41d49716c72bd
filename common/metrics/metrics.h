// From predictions to sums, from sums to what is reported. Sums of parts are merged in a fixed
// order (slice or task number), so that a report does not depend on who computed which part.
#ifndef CONVOY_COMMON_METRICS_METRICS_H_
#define CONVOY_COMMON_METRICS_METRICS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Above this many examples of one part, or distinct scores of a total, AUC is computed from bins.
inline constexpr uint64_t kExactAucExamples = 16'000'000;
inline constexpr int kAucBins = 65'536;

// Collects the sums of one part (a slice's steps, a task, a validation range). One thread.
//
// Predicted class: with one output, 1 if P(y = 1) >= 0.5; otherwise the largest output, the first
// one of equals. NaN is below every number, in scores too. True class: with one output, 1 if the
// label is > 0 (so -1/+1 will do); otherwise the label itself. An example whose label is no class
// counts in `examples` and `loss` alone, so it counts as not recognised.
class MetricAccumulator {
 public:
  // classes: 0 regression, 2 with one output binary, otherwise the number of classes; the confusion
  // matrix has classes^2 counts. `keep_scores`: collect what AUC needs (two classes only).
  MetricAccumulator(int64_t classes, bool keep_scores,
                    uint64_t exact_auc_examples = kExactAucExamples);

  // `loss`: sum over the batch. `predictions`: row-major [labels.size(), outputs]; outputs 1:
  // P(y = 1) or the regression's value.
  void Add(double loss, std::span<const float> predictions, int64_t outputs,
           std::span<const float> labels);
  // Adds to the sums of the metrics `names`, which the model class defines itself, those of a
  // batch.
  void AddOwn(std::span<const std::string> names, std::span<const double> sums);
  // The sums so far; scores sorted ascending and equal ones combined. Clears.
  v1::MetricSums Take();
  // The sums so far, without scores.
  v1::MetricSums Sums() const;
  // Goes on from what Sums gave; of the same number of classes, and nothing was added yet.
  void Restore(const v1::MetricSums& sums);

 private:
  void AddExample(std::span<const float> prediction, float label);
  void AddScore(float score, bool positive);

  int64_t classes_;
  bool keep_scores_;
  uint64_t exact_auc_examples_;
  v1::MetricSums sums_;
  std::vector<uint64_t> confusion_;
  // Empty once bins are in use.
  std::vector<std::pair<float, bool>> scores_;
};

// InvalidArgument: `name` is not 1 to 64 of the characters A-Z, a-z, 0-9, '_', '-', '.'.
absl::Status CheckMetricName(std::string_view name);

// Sums from a peer. OK means that MergeSums and ComputeMetrics do with them what they say.
// InvalidArgument: a confusion matrix, runs or bins of the wrong size, scores that are not strictly
// ascending (NaN first), scores or bins of other than two classes, more counts than examples, names
// of own metrics that are no such names or occur twice.
absl::Status ValidateSums(const v1::MetricSums& sums);

// Adds `part` to `total` (which may be empty). Call in slice or task order, with valid sums of the
// same number of classes. If one of them has bins, or there are too many distinct scores, the total
// has bins. Invalid sums give meaningless numbers, never a crash.
void MergeSums(const v1::MetricSums& part, v1::MetricSums* total);

struct ClassMetrics {
  double precision = 0, recall = 0, f1 = 0;
  uint64_t support = 0;  // examples of the class
};

// Everything derived from sums. Undefined ratios (0/0) are 0, and macro averages run over the
// classes that occur among labels or predictions, both as scikit-learn does.
struct Metrics {
  uint64_t examples = 0;
  double loss = 0;  // mean
  // Classification.
  double accuracy = 0, macro_precision = 0, macro_recall = 0, macro_f1 = 0;
  std::vector<ClassMetrics> per_class;
  // Two classes: precision, recall and F1 of class 1; area under the ROC curve (NaN if one class is
  // absent or no scores were kept), ties counted half, and a bound on its error: 0 when exact, with
  // bins half the share of the (positive, negative) pairs whose scores fall into the same bin.
  double precision = 0, recall = 0, f1 = 0, auc = 0, auc_error_bound = 0;
  // Regression.
  double rmse = 0;
  // Means of the metrics that the model class defines, in its order.
  std::vector<std::pair<std::string, double>> own;
};

Metrics ComputeMetrics(const v1::MetricSums& sums);

// As JSON object text: {"loss":..., "accuracy":..., ...}; only what the task has, under the names
// of the fields above: loss; regression: rmse; classes: accuracy and the macro averages; two
// classes: precision, recall, f1, and auc if scores were kept (auc_error_bound if it is not 0).
// If the model class defines metrics of its own, they follow as "own": {"name": mean, ...}.
// `per_class` adds the list "classes": [{"class":0, "precision":..., ...}, ...]. NaN and infinity
// are null.
std::string MetricsJson(const v1::MetricSums& sums, bool per_class);

}  // namespace convoy

#endif  // CONVOY_COMMON_METRICS_METRICS_H_
