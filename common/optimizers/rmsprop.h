// RMSProp: s = decay * s + (1 - decay) * g^2; w -= rate * g / (sqrt(s) + epsilon). Tieleman &
// Hinton, "Neural networks for machine learning", lecture 6.5, 2012. Slot: s, 0 at the start.
#ifndef CONVOY_COMMON_OPTIMIZERS_RMSPROP_H_
#define CONVOY_COMMON_OPTIMIZERS_RMSPROP_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// The common settings have been checked by MakeOptimizer. InvalidArgument: decay not in [0, 1),
// epsilon <= 0.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeRmsProp(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_RMSPROP_H_
