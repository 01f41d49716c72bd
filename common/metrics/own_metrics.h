// The sums of metrics that model classes define themselves: found by name, kept in order.
#ifndef CONVOY_COMMON_METRICS_OWN_METRICS_H_
#define CONVOY_COMMON_METRICS_OWN_METRICS_H_

#include <string>

#include "absl/status/status.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Adds to the sum of that name; it is appended if there is none.
void AddToOwn(const std::string& name, double sum, v1::MetricSums* sums);

// InvalidArgument: a name that is none, or that occurs twice; more than 256 of them.
absl::Status CheckOwn(const v1::MetricSums& sums);

}  // namespace convoy

#endif  // CONVOY_COMMON_METRICS_OWN_METRICS_H_
