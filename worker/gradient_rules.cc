#include "worker/gradient_rules.h"

#include <cmath>

namespace convoy {

bool IsFinite(const GradientSpans& gradient) {
  for (const std::span<float> variable : gradient) {
    for (const float value : variable) {
      if (!std::isfinite(value)) return false;
    }
  }
  return true;
}

void ClipNorm(uint32_t examples, double limit, const GradientSpans& gradient) {
  double squares = 0;
  for (const std::span<float> variable : gradient) {
    for (const float value : variable) squares += double{value} * double{value};
  }
  const double norm = std::sqrt(squares) / examples;
  if (norm <= limit) return;
  const auto factor = static_cast<float>(limit / norm);
  for (const std::span<float> variable : gradient) {
    for (float& value : variable) value *= factor;
  }
}

}  // namespace convoy
