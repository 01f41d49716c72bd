// Adagrad: a += g^2; w -= rate * g / (sqrt(a) + epsilon). Duchi, Hazan & Singer, "Adaptive
// subgradient methods for online learning and stochastic optimization", JMLR 12, 2011, figure 1 and
// section 1.1, eq. 1 (diagonal form). Slot: a, initial_accumulator at the start.
#ifndef CONVOY_COMMON_OPTIMIZERS_ADAGRAD_H_
#define CONVOY_COMMON_OPTIMIZERS_ADAGRAD_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// The common settings have been checked by MakeOptimizer. InvalidArgument: initial_accumulator < 0,
// epsilon <= 0.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdagrad(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_ADAGRAD_H_
