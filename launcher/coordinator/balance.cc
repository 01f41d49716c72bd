#include "launcher/coordinator/balance.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_format.h"

namespace convoy {
namespace {

constexpr double kMuch = 1.5;               // times a server's share
constexpr double kLittleTraffic = 1 << 20;  // bytes: too few to tell

}  // namespace

std::string DescribeImbalance(const std::vector<uint64_t>& bytes) {
  const double all = std::accumulate(bytes.begin(), bytes.end(), 0.0);
  if (bytes.size() < 2 || all < kLittleTraffic) return "";
  const auto most = std::max_element(bytes.begin(), bytes.end());
  const double part = static_cast<double>(*most) / all;
  const double shares = part * static_cast<double>(bytes.size());
  if (shares <= kMuch) return "";
  return absl::StrFormat(
      "server %d carries %.0f %% of the servers' traffic, %.1f times its share of %d servers",
      most - bytes.begin(), 100 * part, shares, bytes.size());
}

}  // namespace convoy
