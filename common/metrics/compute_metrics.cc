#include <cmath>
#include <limits>

#include "common/metrics/metrics.h"
#include "common/metrics/scores.h"

namespace convoy {
namespace {

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// One class against all others.
struct ClassCounts {
  uint64_t hit = 0, actual = 0, predicted = 0;
};

std::vector<ClassCounts> CountClasses(const v1::MetricSums& sums) {
  const uint64_t classes = sums.classes();
  if (static_cast<uint64_t>(sums.confusion_size()) != classes * classes) return {};
  std::vector<ClassCounts> counts(classes);
  const uint64_t* count = sums.confusion().data();
  for (size_t actual = 0; actual < classes; ++actual) {
    for (size_t predicted = 0; predicted < classes; ++predicted, ++count) {
      counts[actual].actual += *count;
      counts[predicted].predicted += *count;
      if (actual == predicted) counts[actual].hit += *count;
    }
  }
  return counts;
}

// F1 = 2 P R / (P + R) = 2 hit / (actual + predicted).
ClassMetrics MetricsOf(const ClassCounts& counts) {
  return {.precision = Ratio(counts.hit, counts.predicted),
          .recall = Ratio(counts.hit, counts.actual),
          .f1 = Ratio(2 * counts.hit, counts.actual + counts.predicted),
          .support = counts.actual};
}

void AddClassification(const std::vector<ClassCounts>& counts, Metrics* metrics) {
  uint64_t hits = 0;
  double occurring = 0;
  for (const ClassCounts& count : counts) {
    const ClassMetrics& one = metrics->per_class.emplace_back(MetricsOf(count));
    hits += count.hit;
    if (count.actual + count.predicted == 0) continue;
    ++occurring;
    metrics->macro_precision += one.precision;
    metrics->macro_recall += one.recall;
    metrics->macro_f1 += one.f1;
  }
  metrics->accuracy = Ratio(hits, metrics->examples);
  if (occurring == 0) return;
  metrics->macro_precision /= occurring;
  metrics->macro_recall /= occurring;
  metrics->macro_f1 /= occurring;
}

void AddTwoClass(const v1::MetricSums& sums, Metrics* metrics) {
  if (metrics->per_class.size() == 2) {
    metrics->precision = metrics->per_class[1].precision;
    metrics->recall = metrics->per_class[1].recall;
    metrics->f1 = metrics->per_class[1].f1;
  }
  const Auc auc = ComputeAuc(sums);
  metrics->auc = auc.value;
  metrics->auc_error_bound = auc.error_bound;
}

}  // namespace

Metrics ComputeMetrics(const v1::MetricSums& sums) {
  Metrics metrics;
  metrics.examples = sums.examples();
  metrics.auc = std::numeric_limits<double>::quiet_NaN();
  const double examples = static_cast<double>(sums.examples());
  if (sums.examples() > 0) metrics.loss = sums.loss() / examples;
  for (const v1::NamedSum& own : sums.own()) {
    metrics.own.emplace_back(own.name(), sums.examples() > 0 ? own.sum() / examples : 0);
  }
  if (sums.classes() == 0) {
    if (sums.examples() > 0) metrics.rmse = std::sqrt(sums.squared_error() / examples);
    return metrics;
  }
  AddClassification(CountClasses(sums), &metrics);
  if (sums.classes() == 2) AddTwoClass(sums, &metrics);
  return metrics;
}

}  // namespace convoy
