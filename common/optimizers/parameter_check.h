// Range checks of optimizer parameters. Rules compute in float32, so a parameter must be in its
// range also after rounding to float32.
#ifndef CONVOY_COMMON_OPTIMIZERS_PARAMETER_CHECK_H_
#define CONVOY_COMMON_OPTIMIZERS_PARAMETER_CHECK_H_

#include <string_view>

#include "absl/status/status.h"

namespace convoy {

// InvalidArgument `NAME must be ..., got VALUE` unless the value is finite and >= 0.
absl::Status CheckNotNegative(std::string_view name, double value);
// The same unless it is finite, > 0 and no smaller than the smallest normal float32, 1.2e-38.
absl::Status CheckPositive(std::string_view name, double value);
// The same unless it is in [0, 1).
absl::Status CheckDecay(std::string_view name, double value);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_PARAMETER_CHECK_H_
