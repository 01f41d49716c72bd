// Metrics in Prometheus' text format, version 0.0.4.
#ifndef CONVOY_COMMON_MONITORING_METRIC_TEXT_H_
#define CONVOY_COMMON_MONITORING_METRIC_TEXT_H_

#include <cstdint>
#include <string>

#include "common/monitoring/metric.h"

namespace convoy {

// Every sample has the labels `role` and `rank`.
std::string MetricText(const MetricList& metrics, const std::string& role, uint32_t rank);

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_METRIC_TEXT_H_
