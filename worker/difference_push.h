// What a round of local steps sends: by how much it changed the weights.
#ifndef CONVOY_WORKER_DIFFERENCE_PUSH_H_
#define CONVOY_WORKER_DIFFERENCE_PUSH_H_

#include <cstdint>

#include "absl/status/status.h"
#include "worker/gradient_push.h"
#include "worker/local_steps.h"
#include "worker/pulled_weights.h"

namespace convoy {

// Ends a round of `steps` that began from `weights`. `factor` times the differences, and those of
// the rows that it updated, leave with the push that has begun; they stand for `examples`. `last`:
// see GradientPush::BeginSlice.
absl::Status PushDifference(LocalSteps& steps, PulledWeights& weights, float factor,
                            uint32_t examples, bool last, GradientPush& push);

}  // namespace convoy

#endif  // CONVOY_WORKER_DIFFERENCE_PUSH_H_
