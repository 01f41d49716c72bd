#include "worker/data/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/charconv.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

constexpr size_t kQuotedBytes = 40;
// Powers of ten up to 10^10 are exact in float32.
constexpr float kPowers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
constexpr int kMaxPower = 10;
constexpr uint64_t kExactIntegers = 1U << 24;
constexpr int kFastDigits = 18;  // their value fits into 64 bits

bool EndsToken(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '#'; }

const char* TokenEnd(const char* token) {
  while (!EndsToken(*token)) ++token;
  return token;
}

// Digits with at most one point. One exact division of exact numbers is correctly rounded: Clinger,
// "How to read floating point numbers accurately", PLDI 1990. Returns false for everything else.
bool ParseShort(const char** cursor, float* value) {
  const char* at = *cursor;
  const bool negative = *at == '-';
  if (negative) ++at;
  const char* const digits = at;
  uint64_t mantissa = 0;
  for (; IsDigit(*at); ++at) mantissa = mantissa * 10 + static_cast<uint64_t>(*at - '0');
  int64_t count = at - digits;
  int64_t fraction = 0;
  if (*at == '.') {
    const char* const first = ++at;
    for (; IsDigit(*at); ++at) mantissa = mantissa * 10 + static_cast<uint64_t>(*at - '0');
    fraction = at - first;
    count += fraction;
  }
  if (!EndsToken(*at) || count == 0 || count > kFastDigits || fraction > kMaxPower ||
      mantissa > kExactIntegers) {
    return false;
  }
  const float magnitude = static_cast<float>(mantissa) / kPowers[fraction];
  *value = negative ? -magnitude : magnitude;
  *cursor = at;
  return true;
}

// std::from_chars calls underflow out of range, too; Abseil's tells the two apart by the value.
DecimalResult ParseExtreme(const char* begin, const char* end, float* value) {
  absl::from_chars(begin, end, *value);
  return std::abs(*value) > 1.0F ? DecimalResult::kNotFinite : DecimalResult::kOk;
}

}  // namespace

DecimalResult ParseDecimal(const char** cursor, float* value) {
  if (ParseShort(cursor, value)) return DecimalResult::kOk;
  const char* const end = TokenEnd(*cursor);
  const char* begin = *cursor;
  if (*begin == '+' && begin[1] != '-') ++begin;
  const auto [stop, error] = std::from_chars(begin, end, *value);
  if (error == std::errc::invalid_argument || stop != end) return DecimalResult::kNotANumber;
  DecimalResult result = DecimalResult::kOk;
  if (error == std::errc::result_out_of_range) {
    result = ParseExtreme(begin, end, value);
  } else if (!std::isfinite(*value)) {
    result = DecimalResult::kNotFinite;
  }
  if (result == DecimalResult::kOk) *cursor = end;
  return result;
}

std::string QuotedToken(const char* token) {
  const size_t size = *token == '\r' ? 1 : static_cast<size_t>(TokenEnd(token) - token);
  const std::string shown = absl::CHexEscape({token, std::min(size, kQuotedBytes)});
  return absl::StrCat("\"", shown, size > kQuotedBytes ? "...\"" : "\"");
}

}  // namespace convoy
