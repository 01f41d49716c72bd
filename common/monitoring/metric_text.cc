#include "common/monitoring/metric_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <vector>

namespace convoy {
namespace {

prometheus::ClientMetric::Histogram HistogramOf(const Metric& metric) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_count = metric.count;
  histogram.sample_sum = metric.sum;
  for (const auto& [bound, count] : metric.buckets) histogram.bucket.push_back({count, bound});
  histogram.bucket.push_back({metric.count, std::numeric_limits<double>::infinity()});
  return histogram;
}

prometheus::MetricFamily FamilyOf(const Metric& metric, const std::string& role, uint32_t rank) {
  prometheus::MetricFamily family;
  family.name = metric.name;
  family.help = metric.help;
  prometheus::ClientMetric& sample = family.metric.emplace_back();
  sample.label = {{"rank", std::to_string(rank)}, {"role", role}};
  switch (metric.type) {
    case Metric::Type::kCounter:
      family.type = prometheus::MetricType::Counter;
      sample.counter.value = metric.value;
      break;
    case Metric::Type::kGauge:
      family.type = prometheus::MetricType::Gauge;
      sample.gauge.value = metric.value;
      break;
    case Metric::Type::kSummary:
      family.type = prometheus::MetricType::Summary;
      sample.summary = {metric.count, metric.sum, {}};
      break;
    case Metric::Type::kHistogram:
      family.type = prometheus::MetricType::Histogram;
      sample.histogram = HistogramOf(metric);
      break;
  }
  return family;
}

}  // namespace

std::string MetricText(const MetricList& metrics, const std::string& role, uint32_t rank) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : metrics.metrics()) families.push_back(FamilyOf(metric, role, rank));
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace convoy
