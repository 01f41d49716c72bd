// Adam and AdamW.
//   m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2
//   Adam:  w -= rate * (m / c1) / (sqrt(v / c2) + epsilon),  c1 = 1 - beta1^t,  c2 = 1 - beta2^t
//   AdamW: additionally w -= rate * weight_decay * w, with the old w on the right
// Adam: Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1, computed
// in the order given at the end of its section 2: rate * sqrt(c2) / c1 and epsilon * sqrt(c2) are
// worked out once per update, in double, from the float32 values of beta1 and beta2 and the number
// t of the update. AdamW: Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019,
// algorithm 2, line 12, with the rate as its alpha and the decay multiplied by the rate.
// Slots: m and v, 0 at the start.
#ifndef CONVOY_COMMON_OPTIMIZERS_ADAM_H_
#define CONVOY_COMMON_OPTIMIZERS_ADAM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/optimizers/optimizer.h"

namespace convoy {

// The common settings, weight_decay included, have been checked by MakeOptimizer. InvalidArgument:
// a beta not in [0, 1), epsilon <= 0.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdam(const OptimizerSettings& settings);
absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdamW(const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_ADAM_H_
