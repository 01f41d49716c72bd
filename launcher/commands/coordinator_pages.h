// What a coordinator shows over HTTP.
#ifndef CONVOY_LAUNCHER_COMMANDS_COORDINATOR_PAGES_H_
#define CONVOY_LAUNCHER_COMMANDS_COORDINATOR_PAGES_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/monitoring/http_server.h"
#include "launcher/commands/log.h"
#include "launcher/coordinator/coordinator_service.h"
#include "launcher/dashboard/dashboard.h"
#include "proto/job.pb.h"

namespace convoy {

// [HOST:]PORT as it is given to --dashboard; "0": any port. InvalidArgument: it is not one, or HOST
// is no IP address.
struct DashboardAddress {
  std::string host = "127.0.0.1";
  uint32_t port = 0;
};
absl::StatusOr<DashboardAddress> ParseDashboardAddress(const std::string& text);
// InvalidArgument: as above, or something listens there already. OK for "", no dashboard.
absl::Status CheckDashboard(const std::string& where);
// --dashboard [[HOST:]PORT] for commands that start a job; "" if it is not given.
void AddDashboardOption(CLI::App* command, std::string* dashboard);

// The dashboard at `where`, "" for none; nullptr: none, or it could not start, which `log` is told.
// `coordinator` outlives what is returned.
std::unique_ptr<Dashboard> ServeDashboard(const std::string& where, const v1::Job& job,
                                          CoordinatorService& coordinator, const LogFunction& log);

// As ServeMetrics. `coordinator` outlives what is returned.
std::unique_ptr<HttpServer> ServeCoordinatorMetrics(const v1::Job& job,
                                                    CoordinatorService& coordinator,
                                                    const LogFunction& log);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COORDINATOR_PAGES_H_
