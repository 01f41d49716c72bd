#include "common/metrics/scores.h"

#include <algorithm>
#include <limits>

#include "common/metrics/metrics.h"

namespace convoy {
namespace {

using Counts = google::protobuf::RepeatedField<uint64_t>;

// Sums from a peer may have arrays of unequal length.
int NumRuns(const v1::MetricSums& sums) {
  return std::min({sums.scores_size(), sums.positives_size(), sums.negatives_size()});
}

void AppendRun(float score, uint64_t positives, uint64_t negatives, v1::MetricSums* sums) {
  const int last = sums->scores_size() - 1;
  if (last >= 0 && !ScoreLess(sums->scores(last), score)) {
    sums->set_positives(last, sums->positives(last) + positives);
    sums->set_negatives(last, sums->negatives(last) + negatives);
    return;
  }
  sums->add_scores(score);
  sums->add_positives(positives);
  sums->add_negatives(negatives);
}

void AppendRunOf(const v1::MetricSums& from, int i, v1::MetricSums* to) {
  AppendRun(from.scores(i), from.positives(i), from.negatives(i), to);
}

void ReserveRuns(int count, v1::MetricSums* sums) {
  sums->mutable_scores()->Reserve(count);
  sums->mutable_positives()->Reserve(count);
  sums->mutable_negatives()->Reserve(count);
}

void SwapRuns(v1::MetricSums* a, v1::MetricSums* b) {
  a->mutable_scores()->Swap(b->mutable_scores());
  a->mutable_positives()->Swap(b->mutable_positives());
  a->mutable_negatives()->Swap(b->mutable_negatives());
}

void MergeRuns(const v1::MetricSums& part, v1::MetricSums* total) {
  const int part_size = NumRuns(part), total_size = NumRuns(*total);
  v1::MetricSums merged;
  ReserveRuns(std::max(part_size, total_size), &merged);
  int i = 0, j = 0;
  while (i < total_size || j < part_size) {
    const bool from_part =
        i == total_size || (j < part_size && ScoreLess(part.scores(j), total->scores(i)));
    from_part ? AppendRunOf(part, j++, &merged) : AppendRunOf(*total, i++, &merged);
  }
  SwapRuns(&merged, total);
}

void EnsureBins(v1::MetricSums* sums) {
  sums->mutable_positive_bins()->Resize(kAucBins, 0);
  sums->mutable_negative_bins()->Resize(kAucBins, 0);
}

int BinOf(float score) {
  if (!(score > 0)) return 0;
  return static_cast<int>(std::min(score * kAucBins, static_cast<float>(kAucBins - 1)));
}

void AddRunsToBins(const v1::MetricSums& from, v1::MetricSums* to) {
  for (int i = 0; i < NumRuns(from); ++i) {
    AddToBins(from.scores(i), from.positives(i), from.negatives(i), to);
  }
}

void AddCounts(const Counts& from, Counts* to) {
  for (int i = 0; i < std::min(from.size(), to->size()); ++i) to->Set(i, to->Get(i) + from.Get(i));
}

// Entries in ascending order of score; pairs within one entry count half.
Auc AucOfCounts(const Counts& positives, const Counts& negatives) {
  double all_positives = 0, all_negatives = 0, won = 0, tied = 0;
  for (int i = 0; i < std::min(positives.size(), negatives.size()); ++i) {
    const double p = static_cast<double>(positives.Get(i));
    const double n = static_cast<double>(negatives.Get(i));
    won += p * all_negatives;
    tied += p * n;
    all_positives += p;
    all_negatives += n;
  }
  const double pairs = all_positives * all_negatives;
  if (pairs == 0) return {std::numeric_limits<double>::quiet_NaN(), 0};
  return {(won + tied / 2) / pairs, tied / 2 / pairs};
}

}  // namespace

bool HasBins(const v1::MetricSums& sums) {
  return sums.positive_bins_size() > 0 || sums.negative_bins_size() > 0;
}

void StoreRuns(std::vector<std::pair<float, bool>> scores, v1::MetricSums* sums) {
  std::sort(scores.begin(), scores.end(),
            [](const auto& a, const auto& b) { return ScoreLess(a.first, b.first); });
  for (const auto& [score, positive] : scores) {
    // -0 equals 0: which one came first must not show.
    AppendRun(score + 0.0f, positive ? 1 : 0, positive ? 0 : 1, sums);
  }
}

void AddToBins(float score, uint64_t positives, uint64_t negatives, v1::MetricSums* sums) {
  EnsureBins(sums);
  const int bin = BinOf(score);
  sums->set_positive_bins(bin, sums->positive_bins(bin) + positives);
  sums->set_negative_bins(bin, sums->negative_bins(bin) + negatives);
}

void ConvertToBins(v1::MetricSums* sums) {
  v1::MetricSums runs;
  SwapRuns(sums, &runs);
  EnsureBins(sums);
  AddRunsToBins(runs, sums);
}

void MergeScores(const v1::MetricSums& part, v1::MetricSums* total) {
  if (!HasBins(part) && !HasBins(*total)) {
    MergeRuns(part, total);
    if (static_cast<uint64_t>(total->scores_size()) > kExactAucExamples) ConvertToBins(total);
    return;
  }
  ConvertToBins(total);
  AddRunsToBins(part, total);
  AddCounts(part.positive_bins(), total->mutable_positive_bins());
  AddCounts(part.negative_bins(), total->mutable_negative_bins());
}

Auc ComputeAuc(const v1::MetricSums& sums) {
  if (HasBins(sums)) return AucOfCounts(sums.positive_bins(), sums.negative_bins());
  return {AucOfCounts(sums.positives(), sums.negatives()).value, 0};
}

}  // namespace convoy
