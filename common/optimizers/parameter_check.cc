#include "common/optimizers/parameter_check.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

absl::Status CheckRange(bool ok, std::string_view name, std::string_view range, double value) {
  if (ok) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(name), " must be ", std::string(range), ", got ", value));
}

}  // namespace

absl::Status CheckNotNegative(std::string_view name, double value) {
  const float rounded = static_cast<float>(value);
  return CheckRange(value >= 0 && std::isfinite(rounded), name, ">= 0 and finite", value);
}

absl::Status CheckPositive(std::string_view name, double value) {
  const float rounded = static_cast<float>(value);
  return CheckRange(rounded >= std::numeric_limits<float>::min() && std::isfinite(rounded), name,
                    "> 0 and a finite float32", value);
}

absl::Status CheckDecay(std::string_view name, double value) {
  return CheckRange(value >= 0 && static_cast<float>(value) < 1, name, "in [0, 1) as a float32",
                    value);
}

}  // namespace convoy
