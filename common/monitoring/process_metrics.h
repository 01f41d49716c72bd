// The metrics of a server or worker: what it says in its heartbeats.
#ifndef CONVOY_COMMON_MONITORING_PROCESS_METRICS_H_
#define CONVOY_COMMON_MONITORING_PROCESS_METRICS_H_

#include "common/monitoring/metric.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// convoy_process_*: of any process.
void AddUsage(const v1::ProcessUsage& usage, MetricList* metrics);
// convoy_server_*.
void AddServer(const v1::ServerStats& stats, MetricList* metrics);
// convoy_worker_*. `step`: as HeartbeatRequest.step.
void AddWorker(uint64_t step, const v1::ProcessUsage& usage, MetricList* metrics);

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_PROCESS_METRICS_H_
