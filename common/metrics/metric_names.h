// The metrics by which a job is judged, by name: "validation/loss".
#ifndef CONVOY_COMMON_METRICS_METRIC_NAMES_H_
#define CONVOY_COMMON_METRICS_METRIC_NAMES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace convoy {

// Those of MetricsJson that a validation of a job with so many classes (0: a regression) has, each
// with "validation/" before it; without those that a model class defines itself, since nobody knows
// which of their values are good.
std::vector<std::string> ValidationMetrics(uint32_t classes);
// InvalidArgument: `metric` is none of them; lists them.
absl::Status CheckValidationMetric(const std::string& metric, uint32_t classes);

// "validation/loss" -> "loss".
std::string_view MetricOf(std::string_view name);
// Whether the lowest value is the best one.
bool LowerIsBetter(std::string_view name);

}  // namespace convoy

#endif  // CONVOY_COMMON_METRICS_METRIC_NAMES_H_
