// Serves the metrics of one process under /metrics (docs/watching.md).
#ifndef CONVOY_COMMON_MONITORING_METRICS_ENDPOINT_H_
#define CONVOY_COMMON_MONITORING_METRICS_ENDPOINT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/monitoring/http_server.h"
#include "common/monitoring/metric.h"
#include "proto/job.pb.h"

namespace convoy {

// Starts if cluster.metrics_port says so; nullptr: it doesn't, or the port is in use, which `log`
// is told: a job does not end because nobody can watch it. `collect` is called for each scrape,
// from other threads, until the server is destroyed.
std::unique_ptr<HttpServer> ServeMetrics(const v1::Job& job, const std::string& role, uint32_t rank,
                                         std::function<MetricList()> collect,
                                         const std::function<void(const std::string&)>& log);

}  // namespace convoy

#endif  // CONVOY_COMMON_MONITORING_METRICS_ENDPOINT_H_
