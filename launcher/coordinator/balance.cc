#include "launcher/coordinator/balance.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace convoy {
namespace {

constexpr double kMuch = 1.5;               // times a server's share
constexpr double kLittleTraffic = 1 << 20;  // bytes: too few to tell

double TrafficOf(const v1::ServerStats& server) {
  return static_cast<double>(server.bytes_received() + server.bytes_sent());
}

// "" for a server that does not say.
std::string Busiest(const v1::ServerStats& server) {
  std::vector<std::string> parts;
  for (const v1::CellTraffic& cell : server.busiest()) {
    parts.push_back(absl::StrFormat("%s %.0f %%", cell.name(),
                                    100 * static_cast<double>(cell.bytes()) / TrafficOf(server)));
  }
  return parts.empty() ? "" : absl::StrCat("; of that ", absl::StrJoin(parts, ", "));
}

}  // namespace

std::string DescribeImbalance(const std::vector<v1::ServerStats>& servers) {
  double all = 0;
  for (const v1::ServerStats& server : servers) all += TrafficOf(server);
  if (servers.size() < 2 || all < kLittleTraffic) return "";
  const auto most =
      std::max_element(servers.begin(), servers.end(),
                       [](const auto& a, const auto& b) { return TrafficOf(a) < TrafficOf(b); });
  const double part = TrafficOf(*most) / all;
  const double shares = part * static_cast<double>(servers.size());
  if (shares <= kMuch) return "";
  return absl::StrFormat(
      "server %d carries %.0f %% of the servers' traffic, %.1f times its share of %d servers%s",
      most - servers.begin(), 100 * part, shares, servers.size(), Busiest(*most));
}

std::string DescribeImbalance(const Membership& members) {
  std::vector<v1::ServerStats> servers;
  for (uint32_t rank = 0; rank < members.servers(); ++rank) {
    const Process* const server = members.server(rank);
    servers.push_back(server == nullptr ? v1::ServerStats() : server->stats);
  }
  return DescribeImbalance(servers);
}

}  // namespace convoy
