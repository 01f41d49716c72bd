// The training loops of a worker.
#ifndef CONVOY_WORKER_TRAINING_H_
#define CONVOY_WORKER_TRAINING_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/mode.h"
#include "common/net/coordinator_client.h"
#include "proto/coordinator.pb.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/job_session.h"
#include "worker/local_steps.h"
#include "worker/models/model.h"
#include "worker/parameter_client.h"
#include "worker/pulled_weights.h"
#include "worker/step_plan.h"
#include "worker/training_data.h"

namespace convoy {

// What a loop works with; everything outlives it.
struct TrainingContext {
  const v1::Assignment& assignment;   // of this worker
  const Mode& mode;
  const TrainingData& train;
  const Dataset* validation;          // null: none
  const Dataset* test;                // null: none
  Model& model;
  JobSession& session;
  CoordinatorClient& coordinator;     // async, ssp, geo: data tasks
};

// Modes sync and local_sgd: step by step with all other slices (worker/sync_training.cc).
absl::Status TrainSync(const TrainingContext& context, ParameterClient& parameters);

// Modes async, ssp and geo: data tasks from the coordinator (worker/task_training.cc).
absl::Status TrainTasks(const TrainingContext& context, ParameterClient& parameters);

// Mode single: the plain loop over the same batches and slices, with the bits of sync, without servers. Saves the
// final weights to `model_file` (worker/single_training.cc).
absl::Status TrainSingle(const TrainingContext& context, const std::string& model_file);

// The parts of a loop, as the job wants them.
StepPlan PlanOf(const TrainingContext& context);
GradientPush::Options PushOptionsFor(const TrainingContext& context);
LocalOptimizer::Options OptimizerOptionsFor(const TrainingContext& context);
LocalSteps::Options LocalOptionsFor(const TrainingContext& context);

}  // namespace convoy

#endif  // CONVOY_WORKER_TRAINING_H_
