// The scores in MetricSums, from which AUC is computed: either runs (distinct scores, ascending,
// with their numbers of positive and negative examples) or, for very many, bins.
#ifndef CONVOY_COMMON_METRICS_SCORES_H_
#define CONVOY_COMMON_METRICS_SCORES_H_

#include <cmath>
#include <utility>
#include <vector>

#include "proto/coordinator.pb.h"

namespace convoy {

// The order of scores: NaN is equal to NaN and below every number.
inline bool ScoreLess(float a, float b) { return std::isnan(a) ? !std::isnan(b) : a < b; }

bool HasBins(const v1::MetricSums& sums);

// Sorts (score, is positive) pairs and stores them as runs; `sums` had none.
void StoreRuns(std::vector<std::pair<float, bool>> scores, v1::MetricSums* sums);

// Adds examples of one score to the bins of `sums`. Bin i holds scores in [i, i + 1) / 65536; the
// first and the last one also hold what is outside [0, 1], the first one NaN.
void AddToBins(float score, uint64_t positives, uint64_t negatives, v1::MetricSums* sums);

// Replaces the runs of `sums`, if any, by bins.
void ConvertToBins(v1::MetricSums* sums);

// Adds the scores of `part` to those of `total`.
void MergeScores(const v1::MetricSums& part, v1::MetricSums* total);

struct Auc {
  double value;        // NaN if positives or negatives are absent
  double error_bound;  // 0 for runs
};
Auc ComputeAuc(const v1::MetricSums& sums);

}  // namespace convoy

#endif  // CONVOY_COMMON_METRICS_SCORES_H_
