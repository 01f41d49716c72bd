// The length of a training: steps, examples and tasks as functions of the job and its data.
#ifndef CONVOY_LAUNCHER_COORDINATOR_TRAINING_PLAN_H_
#define CONVOY_LAUNCHER_COORDINATOR_TRAINING_PLAN_H_

#include <cstdint>

#include "common/mode.h"
#include "proto/coordinator.pb.h"
#include "proto/job.pb.h"
#include "worker/data/batches.h"

namespace convoy {

// A "step" is a global batch in sync, K of them in local_sgd:K, one batch of one worker in async
// and ssp, K of these in geo:K.
struct TrainingPlan {
  bool sync = true;                  // all slices take a step together (sync, local_sgd, single)
  uint64_t examples = 0;             // of an epoch
  uint64_t validation_examples = 0;  // new ones, then old ones; 0: nothing is measured
  uint64_t test_examples = 0;        // 0: no test
  uint64_t epochs = 1;
  uint64_t slices = 1;
  uint64_t batch = 1;                  // examples of a step
  uint64_t batches_per_task = 1;       // async, ssp, geo: steps of a task
  uint64_t validate_every_epochs = 1;  // 0: only at the end
  uint64_t max_steps = 0;              // 0: no limit

  // `data.examples` >= 1; slices, batch_size and batches_per_task of the job >= 1.
  TrainingPlan(const v1::Job& job, const Mode& mode, const v1::DataSummary& data);

  uint64_t StepsPerEpoch() const { return convoy::StepsPerEpoch(examples, batch); }
  uint64_t TotalSteps() const;
  // Modes with steps: a validation comes after every so many, and at the end; 0: only at the end.
  uint64_t StepsPerValidation() const {
    return validation_examples > 0 ? validate_every_epochs * StepsPerEpoch() : 0;
  }
  // Examples of the first `step` steps.
  uint64_t ExamplesAt(uint64_t step) const;
  uint64_t TotalExamples() const { return ExamplesAt(TotalSteps()); }
  // How many times `seen` examples are the whole data.
  double Epochs(uint64_t seen) const;
  // Parts of a validation, and of the test, that have examples (async, ssp).
  uint64_t ValidationTasks() const;
  uint64_t TestTasks() const;
  TaskLayout tasks() const { return {examples, batch, batches_per_task}; }
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_TRAINING_PLAN_H_
