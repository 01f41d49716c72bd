// The rules of Validate for cluster.metrics_port and cluster.metrics_address.
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/cluster_size.h"
#include "common/job/validate_sections.h"
#include "common/monitoring/listen_check.h"

namespace convoy {

void ValidateMetrics(const v1::Job& job, std::vector<Violation>* violations) {
  const v1::Cluster& cluster = job.cluster();
  if (cluster.metrics_port() == 0) return;
  if (!Ipv4Address(cluster.metrics_address(), 0)) {
    violations->push_back(
        {"cluster.metrics_address",
         absl::StrCat("cluster.metrics_address must be an IPv4 address, such as 127.0.0.1 "
                      "or 0.0.0.0, got \"",
                      cluster.metrics_address(), "\"")});
  }
  const ClusterSize size = ClusterSizeOf(job);
  const uint64_t last = uint64_t{cluster.metrics_port()} + size.servers + size.workers;
  if (cluster.metrics_port() > 65535 || last <= 65535)
    return;  // the former is out of its range anyway
  violations->push_back(
      {"cluster.metrics_port",
       absl::StrCat("cluster.metrics_port: each process has a port of its own, and ", last,
                    ", that of the last worker, is not a port: at most ",
                    65535 - size.servers - size.workers, " with this cluster")});
}

}  // namespace convoy
