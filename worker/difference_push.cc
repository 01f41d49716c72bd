#include "worker/difference_push.h"

#include "common/status.h"

namespace convoy {

absl::Status PushDifference(LocalSteps& steps, PulledWeights& weights, float factor,
                            uint32_t examples, bool last, GradientPush& push) {
  const TableBatches batches = weights.RoundBatches(steps.UpdatedIds());
  push.BeginSlice(last, batches);
  CONVOY_RETURN_IF_ERROR(steps.End(weights, factor, batches, push));
  return push.EndSlice(examples).status();
}

}  // namespace convoy
