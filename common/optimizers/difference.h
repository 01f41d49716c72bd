// What servers do in the modes in which workers take the optimizer's steps themselves and send by
// how much the weights changed: they add it up.
//
// Local SGD (Stich, "Local SGD converges fast and communicates little", ICLR 2019): the weights
// become the average of what the slices reached. Geo-SGD (PaddlePaddle's name for adding each
// worker's difference as it comes, without averaging).
//
// Servers keep what weights are held near (optimizer.anchor) in these modes, too: a slot "anchor",
// which no update changes and which workers pull for their steps.
#ifndef CONVOY_COMMON_OPTIMIZERS_DIFFERENCE_H_
#define CONVOY_COMMON_OPTIMIZERS_DIFFERENCE_H_

#include <memory>

#include "common/optimizers/optimizer.h"

namespace convoy {

enum class DifferenceRule {
  // The "gradient" is the sum over slices of examples * difference: w += sum / examples.
  kAverage,
  // It is one worker's difference: w += difference.
  kAdd,
};

// No slot but for the anchors, if `settings` have one; learning rate, penalties and clipping do not
// apply.
std::unique_ptr<Optimizer> MakeDifference(DifferenceRule rule, const OptimizerSettings& settings);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_DIFFERENCE_H_
