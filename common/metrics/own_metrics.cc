#include "common/metrics/own_metrics.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/metrics/metrics.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr size_t kMaxName = 64;
constexpr int kMaxMetrics = 256;

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}

}  // namespace

absl::Status CheckMetricName(std::string_view name) {
  const bool characters = std::all_of(name.begin(), name.end(), IsNameCharacter);
  if (characters && !name.empty() && name.size() <= kMaxName) return absl::OkStatus();
  const std::string start(name.substr(0, kMaxName));
  return absl::InvalidArgumentError(absl::StrCat("metric \"", absl::CHexEscape(start),
                                                 "\": want a name of 1 to ", kMaxName,
                                                 " letters, digits, '_', '-', '.'"));
}

void AddToOwn(const std::string& name, double sum, v1::MetricSums* sums) {
  for (v1::NamedSum& own : *sums->mutable_own()) {
    if (own.name() != name) continue;
    own.set_sum(own.sum() + sum);
    return;
  }
  v1::NamedSum* own = sums->add_own();
  own->set_name(name);
  own->set_sum(sum);
}

absl::Status CheckOwn(const v1::MetricSums& sums) {
  if (sums.own_size() > kMaxMetrics) {
    return absl::InvalidArgumentError(absl::StrCat("metric sums: got ", sums.own_size(),
                                                   " own metrics, want at most ", kMaxMetrics));
  }
  std::set<std::string_view> names;
  for (const v1::NamedSum& own : sums.own()) {
    CONVOY_RETURN_IF_ERROR(Annotate(CheckMetricName(own.name()), "metric sums"));
    if (names.insert(own.name()).second) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("metric sums: got the metric \"", own.name(), "\" twice"));
  }
  return absl::OkStatus();
}

}  // namespace convoy
