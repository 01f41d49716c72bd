#include "worker/training.h"

namespace convoy {

StepPlan PlanOf(const TrainingContext& context) {
  return StepPlan(context.assignment.job().training(), context.mode, static_cast<uint64_t>(context.train.size()));
}

ExampleReader NewReader(const TrainingContext& context) {
  const v1::Job& job = context.assignment.job();
  return ExampleReader(&context.train, &context.model, job.seed(), job.data().shuffle());
}

GradientPush::Options PushOptionsFor(const TrainingContext& context) {
  // Local steps look at each of their gradients; what is sent is a difference of weights.
  if (context.mode.local()) return {};
  const v1::Job& job = context.assignment.job();
  return {job.training().nan_policy() == v1::Training::SKIP, job.optimizer().clip_norm()};
}

LocalOptimizer::Options OptimizerOptionsFor(const TrainingContext& context) {
  const v1::Job& job = context.assignment.job();
  const auto examples = static_cast<uint64_t>(context.train.size());
  return {job.optimizer(), examples, examples * job.training().epochs()};
}

LocalSteps::Options LocalOptionsFor(const TrainingContext& context) {
  const v1::Job& job = context.assignment.job();
  return {OptimizerOptionsFor(context), job.training().nan_policy() == v1::Training::SKIP,
          job.optimizer().clip_norm()};
}

}  // namespace convoy
