#include "launcher/report/report_text.h"

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
  const std::string digits = absl::StrFormat("%.0f", std::abs(count));
  std::string text = count < 0 ? "-" : "";
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
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
