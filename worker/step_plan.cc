#include "worker/step_plan.h"

#include <algorithm>

namespace convoy {

StepPlan::StepPlan(const v1::Training& training, const Mode& mode, uint64_t examples)
    : training_(training),
      examples_(examples),
      step_size_(uint64_t{training.batch_size()} * mode.local_steps) {}

uint64_t StepPlan::total() const {
  const uint64_t steps = per_epoch() * training_.epochs();
  return training_.max_steps() > 0 ? std::min(steps, training_.max_steps()) : steps;
}

std::vector<Range> StepPlan::SliceBatches(const EpochRange& step, uint32_t slice) const {
  std::vector<Range> batches;
  const uint64_t size = training_.batch_size();
  for (uint64_t begin = step.positions.begin; begin < step.positions.end; begin += size) {
    const Range batch{begin, std::min(begin + size, step.positions.end)};
    const Range part = SlicePositions(slice, training_.slices(), batch);
    if (!part.empty()) batches.push_back(part);
  }
  return batches;
}

uint32_t StepPlan::SliceExamples(const EpochRange& step, uint32_t slice) const {
  uint64_t examples = 0;
  for (const Range& batch : SliceBatches(step, slice)) examples += batch.size();
  return static_cast<uint32_t>(examples);
}

}  // namespace convoy
