#include "launcher/report/number_text.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace convoy {

std::string SecondsText(double seconds) {
  if (seconds < 9.995) return absl::StrFormat("%.2f s", seconds);
  if (seconds < 119.95) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
}

std::string MinutesText(double seconds) {
  if (seconds < 90) return absl::StrFormat("%.0f seconds", seconds);
  return absl::StrFormat("%.0f minutes", seconds / 60);
}

std::string GroupedText(double count) {
  std::string text = absl::StrFormat("%.0f", count);
  for (size_t at = text.size(); at > 3 && text[at - 4] != '-';) text.insert(at -= 3, ",");
  return text;
}

std::string ShortestText(double value) {
  char buffer[32];
  const bool whole = std::isfinite(value) && std::trunc(value) == value && std::abs(value) < 1e15;
  const auto result =
      whole ? std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed)
            : std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, result.ptr);
}

std::string MetricText(double value) {
  return absl::StrFormat("%.*f",
                         std::abs(value) >= 1000 ? 0
                         : std::abs(value) >= 10 ? 2
                                                 : 4,
                         value);
}

std::string SpreadText(const Spread& spread, std::string (*text)(double)) {
  const std::string median = text(spread.median), low = text(spread.low), high = text(spread.high);
  return low == high ? median : absl::StrCat(median, " (", low, " to ", high, ")");
}

}  // namespace convoy
