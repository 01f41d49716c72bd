#include "common/monitoring/metrics_ports.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/monitoring/listen_check.h"

namespace convoy {

std::vector<MetricsPort> MetricsPortsOf(const v1::Job& job) {
  uint32_t port = job.cluster().metrics_port();
  if (port == 0) return {};
  const auto [servers, workers] = ClusterSizeOf(job);
  std::vector<MetricsPort> ports = {{"coordinator", 0, port++}};
  for (uint32_t rank = 0; rank < servers; ++rank) ports.push_back({"server", rank, port++});
  for (uint32_t rank = 0; rank < workers; ++rank) ports.push_back({"worker", rank, port++});
  return ports;
}

uint32_t MetricsPortOf(const v1::Job& job, const std::string& role, uint32_t rank) {
  for (const MetricsPort& port : MetricsPortsOf(job)) {
    if (port.role == role && port.rank == rank) return port.port;
  }
  return 0;
}

std::vector<std::string> BusyMetricsPorts(const v1::Job& job) {
  std::vector<std::string> busy;
  for (const MetricsPort& port : MetricsPortsOf(job)) {
    const absl::Status status = CheckCanListen(job.cluster().metrics_address(), port.port);
    if (status.ok()) continue;
    busy.push_back(absl::StrCat(port.port, " (", port.role, " ", port.rank, ": ",
                                std::string(status.message()), ")"));
  }
  return busy;
}

std::string MetricsTargets(const v1::Job& job, const std::string& host) {
  const std::string& address = job.cluster().metrics_address();
  const bool any = address == "0.0.0.0";
  nlohmann::ordered_json group = {{"targets", nlohmann::json::array()},
                                  {"labels", {{"convoy_job", job.name()}}}};
  for (const MetricsPort& port : MetricsPortsOf(job)) {
    group["targets"].push_back(absl::StrCat(any ? host : address, ":", port.port));
  }
  return nlohmann::ordered_json::array({group}).dump(2, ' ', false,
                                                     nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace convoy
