#include "common/monitoring/metrics_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/files/owned_fd.h"
#include "common/monitoring/http_server.h"

namespace convoy {
bool PortIsBusy(const std::string& address, uint32_t port) {
  sockaddr_in6 v6 = {};
  sockaddr_in v4 = {};
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  v6.sin6_port = v4.sin_port = htons(static_cast<uint16_t>(port));
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return false;
  const OwnedFd socket(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return false;
  // As the server does it: connections of an earlier job that have ended are no obstacle.
  const int yes = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const int bound = is_v4 ? bind(socket.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                          : bind(socket.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  return bound != 0 && errno == EADDRINUSE;
}

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
    if (!PortIsBusy(job.cluster().metrics_address(), port.port)) continue;
    busy.push_back(absl::StrCat(port.port, " (", port.role, " ", port.rank, ")"));
  }
  return busy;
}

std::string MetricsTargets(const v1::Job& job, const std::string& host) {
  const std::string& address = job.cluster().metrics_address();
  const bool any = address == "0.0.0.0" || address == "::";
  nlohmann::ordered_json group = {{"targets", nlohmann::json::array()}, {"labels", {{"convoy_job", job.name()}}}};
  for (const MetricsPort& port : MetricsPortsOf(job)) {
    group["targets"].push_back(HostAndPort(any ? host : address, port.port));
  }
  return nlohmann::ordered_json::array({group}).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace convoy
