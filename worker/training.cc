#include "worker/training.h"

#include <utility>

namespace convoy {

WorkerCounters CountersOf(const ParameterClient& parameters) {
  return {parameters.bytes_sent(), parameters.bytes_received(),
          SteadyNow() - parameters.connected_at(), parameters.waited(), parameters.push_faults()};
}

StepPlan PlanOf(const TrainingContext& context) {
  return StepPlan(context.assignment.job().training(), context.mode, context.train.epoch_size());
}

GradientPush::Options RulesFor(const TrainingContext& context) {
  // Local steps look at each of their gradients; what is sent is a difference of weights.
  if (context.mode.local()) return {};
  const v1::Job& job = context.assignment.job();
  return {job.training().nan_policy() == v1::Training::SKIP, job.optimizer().clip_norm()};
}

GradientPush::Options PushOptionsFor(const TrainingContext& context) {
  return context.threads.count() > 1 ? GradientPush::Options() : RulesFor(context);
}

ParallelGradients::Options ParallelOptionsFor(const TrainingContext& context,
                                              std::function<absl::Status()> between) {
  const GradientPush::Options rules = RulesFor(context);
  return {rules.skip_not_finite, rules.clip_norm, std::move(between)};
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
