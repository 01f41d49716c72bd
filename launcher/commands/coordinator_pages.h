// What a coordinator shows over HTTP.
#ifndef CONVOY_LAUNCHER_COMMANDS_COORDINATOR_PAGES_H_
#define CONVOY_LAUNCHER_COMMANDS_COORDINATOR_PAGES_H_

#include <memory>

#include "common/monitoring/http_server.h"
#include "launcher/commands/log.h"
#include "launcher/coordinator/coordinator_service.h"
#include "proto/job.pb.h"

namespace convoy {

// As ServeMetrics. `coordinator` outlives what is returned.
std::unique_ptr<HttpServer> ServeCoordinatorMetrics(const v1::Job& job, CoordinatorService& coordinator,
                                                    const LogFunction& log);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COORDINATOR_PAGES_H_
