// Numbers for Prometheus (https://prometheus.io/docs/practices/naming): base units, counters end
// with _total.
#ifndef CONVOY_COMMON_MONITORING_METRIC_H_
#define CONVOY_COMMON_MONITORING_METRIC_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace convoy {

struct Metric {
  // kSummary: count and sum; kHistogram: those and buckets.
  enum class Type { kCounter, kGauge, kSummary, kHistogram };

  Type type = Type::kGauge;
  std::string name;
  std::string help;
  double value = 0;
  uint64_t count = 0;
  double sum = 0;
  // Upper bound, and how many are not above it; ascending. The last one, infinity, is left out.
  std::vector<std::pair<double, uint64_t>> buckets = {};
};

class MetricList {
 public:
  void Counter(std::string name, std::string help, double value) {
    metrics_.push_back({Metric::Type::kCounter, std::move(name), std::move(help), value});
  }
  void Gauge(std::string name, std::string help, double value) {
    metrics_.push_back({Metric::Type::kGauge, std::move(name), std::move(help), value});
  }
  void Summary(std::string name, std::string help, uint64_t count, double sum) {
    metrics_.push_back({Metric::Type::kSummary, std::move(name), std::move(help), 0, count, sum});
  }
  void Histogram(std::string name, std::string help, uint64_t count, double sum,
                 std::vector<std::pair<double, uint64_t>> buckets) {
    metrics_.push_back({Metric::Type::kHistogram, std::move(name), std::move(help), 0, count, sum,
                        std::move(buckets)});
  }
  const std::vector<Metric>& metrics() const { return metrics_; }

 private:
  std::vector<Metric> metrics_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_METRIC_H_
