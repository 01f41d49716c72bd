#include "launcher/commands/coordinator_pages.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/monitoring/listen_check.h"
#include "common/monitoring/metrics_endpoint.h"
#include "common/status.h"
#include "launcher/watch/coordinator_metrics.h"

namespace convoy {

absl::StatusOr<DashboardAddress> ParseDashboardAddress(const std::string& text) {
  DashboardAddress result;
  const size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  if (colon != std::string::npos) result.host = text.substr(0, colon);
  if (!Ipv4Address(result.host, 0) || !absl::SimpleAtoi(port, &result.port) ||
      result.port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--dashboard: want a port, or an IPv4 address and a port such as 0.0.0.0:8080, got \"",
        text, "\"; without one it comes last: convoy train JOB --dashboard"));
  }
  return result;
}

absl::Status CheckDashboard(const std::string& where) {
  if (where.empty()) return absl::OkStatus();
  CONVOY_ASSIGN_OR_RETURN(const DashboardAddress address, ParseDashboardAddress(where));
  const absl::Status status = CheckCanListen(address.host, address.port);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat("--dashboard ", where, ": ", std::string(status.message()),
                   "; choose another, or leave it out for any free port of 127.0.0.1"));
}

void AddDashboardOption(CLI::App* command, std::string* dashboard) {
  command
      ->add_option_function<std::string>(
          "--dashboard",
          [dashboard](const std::string& value) { *dashboard = value.empty() ? "0" : value; },
          "A page about the job while it runs; default: on any free port of the loopback address")
      ->type_name("[HOST:]PORT")
      ->expected(0, 1)
      ->default_str("0");
}

std::unique_ptr<Dashboard> ServeDashboard(const std::string& where, const v1::Job& job,
                                          CoordinatorService& coordinator, const LogFunction& log) {
  if (where.empty()) return nullptr;
  const absl::StatusOr<DashboardAddress> address = ParseDashboardAddress(where);
  absl::Status status = address.status();
  if (status.ok()) {
    Dashboard::Options options;
    options.address = address->host;
    options.port = address->port;
    options.job = job.name();
    options.mode = job.training().mode();
    options.look = [&coordinator](uint64_t events_seen) { return coordinator.Look(events_seen); };
    absl::StatusOr<std::unique_ptr<Dashboard>> dashboard = Dashboard::Start(std::move(options));
    if (dashboard.ok()) {
      log(absl::StrCat("dashboard: ", (*dashboard)->url()));
      return *std::move(dashboard);
    }
    status = dashboard.status();
  }
  log(absl::StrCat("warning: no dashboard: ", std::string(status.message())));
  return nullptr;
}

std::unique_ptr<HttpServer> ServeCoordinatorMetrics(const v1::Job& job,
                                                    CoordinatorService& coordinator,
                                                    const LogFunction& log) {
  auto metrics = std::make_shared<CoordinatorMetrics>(
      [&coordinator](uint64_t events_seen) { return coordinator.Look(events_seen); });
  return ServeMetrics(
      job, "coordinator", 0, [metrics] { return metrics->Collect(); }, log);
}

}  // namespace convoy
