// The training loops of a worker.
#ifndef CONVOY_WORKER_TRAINING_H_
#define CONVOY_WORKER_TRAINING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/net/coordinator_client.h"
#include "proto/coordinator.pb.h"
#include "worker/data/dataset.h"
#include "worker/job_session.h"
#include "worker/models/model.h"
#include "worker/parameter_client.h"
#include "worker/training_data.h"

namespace convoy {

// What a loop works with; everything outlives it.
struct TrainingContext {
  const v1::Assignment& assignment;   // of this worker
  const TrainingData& train;
  const Dataset* validation;          // null: none
  const Dataset* test;                // null: none
  Model& model;
  ParameterClient& parameters;
  JobSession& session;
  CoordinatorClient& coordinator;     // async, ssp: data tasks
};

// Mode sync: step by step with all other slices (worker/sync_training.cc).
absl::Status TrainSync(const TrainingContext& context);

// Modes async and ssp: data tasks from the coordinator (worker/task_training.cc).
absl::Status TrainTasks(const TrainingContext& context);

// The weights of the current step, as they arrive.
class PulledWeights final : public WeightSource {
 public:
  explicit PulledWeights(ParameterClient* parameters) : parameters_(parameters) {}
  absl::StatusOr<std::span<const float>> Weights(int variable) override {
    return parameters_->Weights(static_cast<uint32_t>(variable));
  }

 private:
  ParameterClient* const parameters_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_TRAINING_H_
