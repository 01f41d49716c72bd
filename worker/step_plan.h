// Which examples belong to which step and slice in the modes with steps (sync, local_sgd, single):
// pure functions of the job, the same in every process.
#ifndef CONVOY_WORKER_STEP_PLAN_H_
#define CONVOY_WORKER_STEP_PLAN_H_

#include <cstdint>
#include <vector>

#include "common/mode.h"
#include "proto/job.pb.h"
#include "worker/data/batches.h"

namespace convoy {

class StepPlan {
 public:
  // `examples`: of an epoch.
  StepPlan(const v1::Training& training, const Mode& mode, uint64_t examples);

  uint64_t per_epoch() const { return StepsPerEpoch(examples_, step_size_); }
  // Steps of the whole job.
  uint64_t total() const;
  // The examples of a step: a global batch, or local_steps of them in local_sgd.
  EpochRange Step(uint64_t step) const { return BatchRange(step, examples_, step_size_); }
  // The slice's parts of the global batches of a step, none of them empty. sync, single: at most
  // one.
  std::vector<Range> SliceBatches(const EpochRange& step, uint32_t slice) const;
  uint32_t SliceExamples(const EpochRange& step, uint32_t slice) const;
  // Examples seen before position `position` of an epoch.
  uint64_t SeenBefore(uint64_t epoch, uint64_t position) const {
    return epoch * examples_ + position;
  }

 private:
  const v1::Training& training_;
  const uint64_t examples_;
  const uint64_t step_size_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_STEP_PLAN_H_
