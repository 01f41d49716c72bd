// Stochastic gradient descent: w -= rate * g. Robbins & Monro, "A stochastic approximation method",
// 1951, eq. 6. No slots.
#ifndef CONVOY_COMMON_OPTIMIZERS_SGD_H_
#define CONVOY_COMMON_OPTIMIZERS_SGD_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// The common settings have been checked by MakeOptimizer.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_SGD_H_
