#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/metrics/metrics.h"
#include "common/metrics/own_metrics.h"
#include "common/metrics/scores.h"
#include "common/status.h"

namespace convoy {
namespace {

using Counts = google::protobuf::RepeatedField<uint64_t>;

template <typename... Args>
absl::Status Invalid(const Args&... args) {
  return absl::InvalidArgumentError(absl::StrCat("metric sums: ", args...));
}

// The counts of all `parts` together must not exceed `examples`.
absl::Status CheckTotal(const char* name, std::initializer_list<const Counts*> parts,
                        uint64_t examples) {
  uint64_t left = examples;
  for (const Counts* part : parts) {
    for (const uint64_t count : *part) {
      if (count > left) return Invalid(name, " count more than the ", examples, " examples");
      left -= count;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckConfusion(const v1::MetricSums& sums) {
  const uint64_t classes = sums.classes();
  const uint64_t got = static_cast<uint64_t>(sums.confusion_size());
  if (got != classes * classes && !(got == 0 && sums.examples() == 0)) {
    return Invalid("got ", got, " confusion counts, want ", classes * classes, " (", classes,
                   " classes squared)");
  }
  return CheckTotal("confusion counts", {&sums.confusion()}, sums.examples());
}

absl::Status CheckRuns(const v1::MetricSums& sums) {
  const int runs = sums.scores_size();
  if (sums.positives_size() != runs || sums.negatives_size() != runs) {
    return Invalid("got ", runs, " scores, ", sums.positives_size(), " positives and ",
                   sums.negatives_size(), " negatives, want as many of each");
  }
  for (int i = 1; i < runs; ++i) {
    if (!ScoreLess(sums.scores(i - 1), sums.scores(i))) {
      return Invalid("got score ", sums.scores(i), " after ", sums.scores(i - 1),
                     ", want ascending ones");
    }
  }
  return CheckTotal("scores", {&sums.positives(), &sums.negatives()}, sums.examples());
}

absl::Status CheckBins(const v1::MetricSums& sums) {
  if (!HasBins(sums)) return absl::OkStatus();
  if (sums.positive_bins_size() != kAucBins || sums.negative_bins_size() != kAucBins) {
    return Invalid("got ", sums.positive_bins_size(), " positive and ", sums.negative_bins_size(),
                   " negative bins, want ", kAucBins, " of each");
  }
  if (sums.scores_size() > 0) return Invalid("got both scores and bins, want one of them");
  return CheckTotal("bins", {&sums.positive_bins(), &sums.negative_bins()}, sums.examples());
}

}  // namespace

absl::Status ValidateSums(const v1::MetricSums& sums) {
  if (sums.classes() != 2 && (sums.scores_size() > 0 || HasBins(sums))) {
    return Invalid("got scores with ", sums.classes(), " classes, want 2 classes");
  }
  CONVOY_RETURN_IF_ERROR(CheckConfusion(sums));
  CONVOY_RETURN_IF_ERROR(CheckRuns(sums));
  CONVOY_RETURN_IF_ERROR(CheckOwn(sums));
  return CheckBins(sums);
}

void MergeSums(const v1::MetricSums& part, v1::MetricSums* total) {
  total->set_examples(total->examples() + part.examples());
  total->set_loss(total->loss() + part.loss());
  total->set_squared_error(total->squared_error() + part.squared_error());
  total->set_classes(std::max(total->classes(), part.classes()));
  if (total->confusion_size() < part.confusion_size()) {
    total->mutable_confusion()->Resize(part.confusion_size(), 0);
  }
  for (int i = 0; i < part.confusion_size(); ++i) {
    total->set_confusion(i, total->confusion(i) + part.confusion(i));
  }
  for (const v1::NamedSum& own : part.own()) AddToOwn(own.name(), own.sum(), total);
  MergeScores(part, total);
}

}  // namespace convoy
