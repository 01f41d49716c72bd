#include "common/monitoring/metrics_endpoint.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/monitoring/metric_text.h"
#include "common/monitoring/metrics_ports.h"

namespace convoy {

std::unique_ptr<HttpServer> ServeMetrics(const v1::Job& job, const std::string& role, uint32_t rank,
                                         std::function<MetricList()> collect,
                                         const std::function<void(const std::string&)>& log) {
  HttpServer::Options options;
  options.port = MetricsPortOf(job, role, rank);
  if (options.port == 0) return nullptr;
  options.address = job.cluster().metrics_address();
  options.pages["/metrics"] = [role, rank, collect = std::move(collect)](const std::string&) {
    return HttpPage{"text/plain; version=0.0.4; charset=utf-8", MetricText(collect(), role, rank)};
  };
  absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(std::move(options));
  if (!server.ok()) {
    log(absl::StrCat(
        "warning: no metrics of this process: ", std::string(server.status().message()),
        " The job goes on (cluster.metrics_port)"));
    return nullptr;
  }
  log(absl::StrCat("metrics: http://", (*server)->address(), "/metrics"));
  return *std::move(server);
}

}  // namespace convoy
