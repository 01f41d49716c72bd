// Where the processes of a job serve their metrics (cluster.metrics_port).
#ifndef CONVOY_COMMON_MONITORING_METRICS_PORTS_H_
#define CONVOY_COMMON_MONITORING_METRICS_PORTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/job.pb.h"

namespace convoy {

struct MetricsPort {
  std::string role;  // "coordinator", "server", "worker"
  uint32_t rank = 0;
  uint32_t port = 0;
};

// Of all processes; none if metrics are off.
std::vector<MetricsPort> MetricsPortsOf(const v1::Job& job);
// Of one; 0: metrics are off.
uint32_t MetricsPortOf(const v1::Job& job, const std::string& role, uint32_t rank);
// Those that can't be listened on now, and why: "9401 (server 0: the port is in use)".
std::vector<std::string> BusyMetricsPorts(const v1::Job& job);
// For Prometheus' file_sd_configs: a list of one group of targets, with the label convoy_job.
// `host`: what an address that stands for all of a machine's (0.0.0.0) is replaced by.
std::string MetricsTargets(const v1::Job& job, const std::string& host);

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_METRICS_PORTS_H_
