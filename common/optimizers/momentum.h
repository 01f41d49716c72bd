// Classical and Nesterov momentum in the form that most frameworks use, the rate outside the slot:
//   v = momentum * v + g
//   classical: w -= rate * v                    Polyak 1964
//   Nesterov:  w -= rate * (g + momentum * v)   Nesterov 1983
// Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and momentum in deep
// learning", ICML 2013, section 2 (eqs. 1-4, with their v equal to -rate * v here).
// Slot: v, 0 at the start.
#ifndef CONVOY_COMMON_OPTIMIZERS_MOMENTUM_H_
#define CONVOY_COMMON_OPTIMIZERS_MOMENTUM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// The common settings have been checked by MakeOptimizer. InvalidArgument: momentum not in [0, 1).
absl::StatusOr<std::unique_ptr<Optimizer>> MakeMomentum(const OptimizerSettings& settings);
absl::StatusOr<std::unique_ptr<Optimizer>> MakeNesterov(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_MOMENTUM_H_
