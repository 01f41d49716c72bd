#include "common/rehearsal/link_limit.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/number_text.h"

namespace convoy {
namespace {

// A push and its answer take two of them, and workers wait for an answer for a minute.
constexpr double kLongestLatency = 10;  // seconds

struct LinkUnit {
  const char* name;
  double value;
  bool rate;
};

// The longer ones first: "s" ends "ms", too.
constexpr LinkUnit kLinkUnits[] = {{"kbit", 1e3, true}, {"mbit", 1e6, true}, {"gbit", 1e9, true},
                                   {"us", 1e-6, false}, {"ms", 1e-3, false}, {"s", 1, false}};

absl::Status NotALink(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("got \"", std::string(text),
                   "\"; want a rate, a latency of at most 10s, or both: 100mbit,5ms (units kbit, "
                   "mbit, gbit; us, ms, s)"));
}

// The number before the unit and the unit itself.
std::optional<std::pair<double, bool>> ReadQuantity(const std::string& text) {
  for (const LinkUnit& unit : kLinkUnits) {
    if (!absl::EndsWith(text, unit.name)) continue;
    const std::string digits = text.substr(0, text.size() - std::string_view(unit.name).size());
    double value = 0;
    if (digits.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(digits[0])) ||
        !absl::SimpleAtod(digits, &value) || !(value * unit.value < 1e15)) {
      return std::nullopt;
    }
    return std::pair(value * unit.value, unit.rate);
  }
  return std::nullopt;
}

std::string RateText(double bits_per_second) {
  if (bits_per_second >= 1e9) return absl::StrCat(NumberText(bits_per_second / 1e9), " Gbit/s");
  if (bits_per_second >= 1e6) return absl::StrCat(NumberText(bits_per_second / 1e6), " Mbit/s");
  return absl::StrCat(NumberText(bits_per_second / 1e3), " kbit/s");
}

}  // namespace

absl::StatusOr<LinkLimit> ParseLinkLimit(std::string_view text) {
  LinkLimit limit;
  if (text.empty()) return limit;
  bool has_rate = false, has_latency = false;
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  for (const std::string& part : parts) {
    const auto quantity = ReadQuantity(part);
    if (!quantity) return NotALink(text);
    const auto [value, is_rate] = *quantity;
    if (is_rate ? has_rate || has_latency || value <= 0 : has_latency || value > kLongestLatency) {
      return NotALink(text);
    }
    (is_rate ? has_rate : has_latency) = true;
    if (is_rate) limit.bits_per_second = value;
    if (!is_rate) limit.latency = absl::Seconds(value);
  }
  return limit;
}

std::string Describe(const LinkLimit& limit) {
  std::string text;
  if (limit.bits_per_second > 0) text = RateText(limit.bits_per_second);
  if (limit.latency > absl::ZeroDuration()) {
    absl::StrAppend(&text, text.empty() ? "" : " and ", absl::FormatDuration(limit.latency),
                    " delay");
  }
  return text.empty() ? "no limit" : absl::StrCat(text, " from each process");
}

absl::Time LimitedLink::Arrival(size_t bytes, absl::Time now) {
  free_at_ = std::max(free_at_, now);
  if (limit_.bits_per_second > 0) {
    free_at_ += absl::Seconds(8 * static_cast<double>(bytes) / limit_.bits_per_second);
  }
  return free_at_ + limit_.latency;
}

}  // namespace convoy
