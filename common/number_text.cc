#include "common/number_text.h"

#include <charconv>
#include <cmath>

namespace convoy {

std::string NumberText(double value) {
  char buffer[32];
  const bool whole = std::isfinite(value) && std::trunc(value) == value && std::abs(value) < 1e15;
  const auto result =
      whole ? std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed)
            : std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, result.ptr);
}

}  // namespace convoy
