#include "worker/training.h"

namespace convoy {

StepPlan PlanOf(const TrainingContext& context) {
  return StepPlan(context.assignment.job().training(), context.mode, context.train.epoch_size());
}

GradientPush::Options PushOptionsFor(const TrainingContext& context) {
  // Local steps look at each of their gradients; what is sent is a difference of weights.
  if (context.mode.local()) return {};
  const v1::Job& job = context.assignment.job();
  return {job.training().nan_policy() == v1::Training::SKIP, job.optimizer().clip_norm()};
}

LocalOptimizer::Options OptimizerOptionsFor(const TrainingContext& context) {
  const v1::Job& job = context.assignment.job();
  const uint64_t examples = context.train.epoch_size();
  return {job.optimizer(), examples, examples * job.training().epochs()};
}

LocalSteps::Options LocalOptionsFor(const TrainingContext& context) {
  const v1::Job& job = context.assignment.job();
  return {OptimizerOptionsFor(context), job.training().nan_policy() == v1::Training::SKIP,
          job.optimizer().clip_norm()};
}

}  // namespace convoy
