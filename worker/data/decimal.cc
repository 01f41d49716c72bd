#include "worker/data/decimal.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/charconv.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

constexpr size_t kQuotedBytes = 40;
// Powers of ten up to 10^22 are exact in float64; more places than digits do not come here.
constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                              1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
constexpr int kFastDigits = 18;  // their value fits into 64 bits
constexpr uint64_t kExactIntegers = uint64_t{1} << 53;

bool EndsToken(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '#'; }

const char* TokenEnd(const char* token) {
  while (!EndsToken(*token)) ++token;
  return token;
}

// Whether a float64 within float32's normal range lies halfway between two neighbours of float32:
// of the 29 bits that float32 does not have, only the first is set.
bool IsHalfway(double value) {
  constexpr uint64_t kDropped = (uint64_t{1} << 29) - 1;
  return (std::bit_cast<uint64_t>(value) & kDropped) == uint64_t{1} << 28;
}

// Digits with at most one point. One division of exact numbers is correctly rounded to float64:
// Clinger, "How to read floating point numbers accurately", PLDI 1990. Rounding that to float32
// is rounding the number itself, unless the first rounding ended halfway between two float32, where
// the second does not know from which side. Returns false then and for everything else.
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
  if (!EndsToken(*at) || count == 0 || count > kFastDigits || mantissa > kExactIntegers) {
    return false;
  }
  const double magnitude = static_cast<double>(mantissa) / kPowers[fraction];
  if (IsHalfway(magnitude)) [[unlikely]] {
    return false;
  }
  *value = static_cast<float>(negative ? -magnitude : magnitude);
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
