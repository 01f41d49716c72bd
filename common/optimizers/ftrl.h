// FTRL-Proximal. McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013,
// algorithm 1, per coordinate, with alpha the learning rate, lambda1 = l1 and lambda2 = l2:
//   sigma = (sqrt(n + g^2) - sqrt(n)) / alpha;  z += g - sigma * w;  n += g^2
//   w = 0 if |z| <= lambda1, otherwise -(z - sign(z) * lambda1) / c,
//       where c = (beta + sqrt(n)) / alpha + lambda2
// Slots: z and n, 0 at the start.
//
// Where w is not 0 the last line gives z = -(c * w + sign(w) * lambda1), and where it is 0 sigma *
// w vanishes, so with the new n the same step reads
//   z = g - (c * w + sign(w) * lambda1) if w is not 0, otherwise z + g
// which is what is computed. It equals algorithm 1 while alpha is constant, needs one square root
// instead of two, and settles what the paper leaves open:
// - initial weights are kept (algorithm 1 would start from w(z = 0) = 0);
// - a learning rate schedule changes the size of the steps, not the weights themselves (algorithm 1
//   divides all of z, old gradients too, by the new alpha).
// A coordinate whose gradient is 0 stays as it is, and with a learning rate of 0 all do.
#ifndef CONVOY_COMMON_OPTIMIZERS_FTRL_H_
#define CONVOY_COMMON_OPTIMIZERS_FTRL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// The common settings have been checked by MakeOptimizer. InvalidArgument: beta < 0.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeFtrl(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_FTRL_H_
