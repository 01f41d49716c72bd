// The training loops of a worker.
#ifndef CONVOY_WORKER_TRAINING_H_
#define CONVOY_WORKER_TRAINING_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "common/mode.h"
#include "common/net/coordinator_client.h"
#include "proto/coordinator.pb.h"
#include "worker/compute_threads.h"
#include "worker/data/dataset.h"
#include "worker/example_reader.h"
#include "worker/gradient_push.h"
#include "worker/job_session.h"
#include "worker/local_steps.h"
#include "worker/models/model.h"
#include "worker/parallel_gradients.h"
#include "worker/parameter_client.h"
#include "worker/pulled_weights.h"
#include "worker/step_plan.h"
#include "worker/table_store.h"
#include "worker/training_data.h"

namespace convoy {

// What a loop works with; everything outlives it.
struct TrainingContext {
  const v1::Assignment& assignment;  // of this worker
  const Mode& mode;
  const TrainingData& train;
  const Dataset* validation;      // null: none
  const Dataset* validation_old;  // of data.old; null: none
  const Dataset* test;            // null: none
  Model& model;
  ComputeThreads& threads;         // cluster.threads_per_worker
  std::span<Model* const> models;  // one for each thread; the first is `model`
  JobSession& session;
  CoordinatorClient& coordinator;  // async, ssp, geo: data tasks
};

// Modes sync and local_sgd: step by step with all other slices (worker/sync_training.cc).
absl::Status TrainSync(const TrainingContext& context, ParameterClient& parameters);

// Modes async, ssp and geo: data tasks from the coordinator (worker/task_training.cc).
absl::Status TrainTasks(const TrainingContext& context, ParameterClient& parameters);

// Mode single: the plain loop over the same batches and slices, with the bits of sync, without
// servers. Saves the final weights to `model_file`, and checkpoints until the job has ended
// (worker/single_training.cc). `init`: what weights and slots begin as; null: as in a new training,
// or as in the checkpoint that the job goes on from.
absl::Status TrainSingle(const TrainingContext& context, const std::string& model_file,
                         TableStore& tables, const InitValues* init);

// What a worker has exchanged so far, and how long it has trained and waited since it connected.
WorkerCounters CountersOf(const ParameterClient& parameters);

// The parts of a loop, as the job wants them.
StepPlan PlanOf(const TrainingContext& context);
// What the gradient of a slice, or of a thread's part of a batch, has to obey.
GradientPush::Options RulesFor(const TrainingContext& context);
// Several threads keep these rules themselves, before their gradients are added up and pushed.
GradientPush::Options PushOptionsFor(const TrainingContext& context);
// `between`: see ParallelGradients.
ParallelGradients::Options ParallelOptionsFor(const TrainingContext& context,
                                              std::function<absl::Status()> between);
LocalOptimizer::Options OptimizerOptionsFor(const TrainingContext& context);
LocalSteps::Options LocalOptionsFor(const TrainingContext& context);

}  // namespace convoy

#endif  // CONVOY_WORKER_TRAINING_H_
