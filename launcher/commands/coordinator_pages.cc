#include "launcher/commands/coordinator_pages.h"

#include "common/monitoring/metrics_endpoint.h"
#include "launcher/watch/coordinator_metrics.h"

namespace convoy {

std::unique_ptr<HttpServer> ServeCoordinatorMetrics(const v1::Job& job, CoordinatorService& coordinator,
                                                    const LogFunction& log) {
  auto metrics = std::make_shared<CoordinatorMetrics>(
      [&coordinator](uint64_t events_seen) { return coordinator.Look(events_seen); });
  return ServeMetrics(job, "coordinator", 0, [metrics] { return metrics->Collect(); }, log);
}

}  // namespace convoy
