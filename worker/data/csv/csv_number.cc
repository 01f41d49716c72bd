#include "worker/data/csv/csv_number.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

#include "absl/strings/charconv.h"
#include "worker/data/decimal.h"

namespace convoy {
namespace {

constexpr double kDoublePowers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
constexpr int64_t kMaxDoublePower = 15;
constexpr size_t kExactDigits = 15;  // below 2^53

// Few digits with at most one point: one exact division of exact numbers is correctly rounded
// (Clinger, "How to read floating point numbers accurately", PLDI 1990).
bool ParseShort(std::string_view text, double* value) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  if (static_cast<size_t>(end - at) > kExactDigits + 1) return false;
  int64_t mantissa = 0, digits = 0, fraction = 0;
  const char* point = nullptr;
  for (; at != end; ++at) {
    if (IsDigit(*at)) {
      mantissa = mantissa * 10 + (*at - '0');
      ++digits;
    } else if (*at == '.' && point == nullptr) {
      point = at;
    } else {
      return false;
    }
  }
  if (point != nullptr) fraction = end - point - 1;
  if (digits == 0 || digits > kMaxDoublePower) return false;
  const double magnitude = static_cast<double>(mantissa) / kDoublePowers[fraction];
  *value = negative ? -magnitude : magnitude;
  return true;
}

// Only what begins like a number: from_chars reads "inf" and "nan" as well.
bool LooksLikeNumber(std::string_view text) {
  const size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  return text.size() > at && (IsDigit(text[at]) || text[at] == '.');
}

}  // namespace

bool ParseNumber(std::string_view text, double* value) {
  if (ParseShort(text, value)) return true;
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  if (!LooksLikeNumber(text)) return false;
  const char* const end = text.data() + text.size();
  double parsed = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, parsed);
  if (stop != end || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) {
    // Too small is as good as 0, which Abseil's tells from too large.
    absl::from_chars(text.data(), end, parsed);
  }
  if (!(std::abs(parsed) <= double{std::numeric_limits<float>::max()})) return false;
  *value = parsed;
  return true;
}

}  // namespace convoy
