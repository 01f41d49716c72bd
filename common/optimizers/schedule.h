// Learning rate schedules. They run on the number of examples seen, which means the same in every
// consistency mode.
#ifndef CONVOY_COMMON_OPTIMIZERS_SCHEDULE_H_
#define CONVOY_COMMON_OPTIMIZERS_SCHEDULE_H_

#include <cstdint>

#include "proto/job.pb.h"

namespace convoy {

// The factor, relative to the base rate, for the update that follows `examples` examples: warm-up
// times shape. `examples` are those that were seen *before* this update, so 0 for the first one;
// hence all updates of the first epoch have the factor of epoch 0 in a step decay by epochs.
// Warm-up is min(1, (examples + 1) / warmup_examples): linear in the examples, and the first update
// is small but not lost. Both parts run on the same count: a decay does not wait for the warm-up.
// `epoch_examples` and `total_examples` fill in the schema's defaults ("the examples of one epoch",
// "all examples of the job"); both >= 1.
double ScheduleFactor(const v1::Schedule& schedule, uint64_t examples, uint64_t epoch_examples,
                      uint64_t total_examples);

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_SCHEDULE_H_
