#include "launcher/coordinator/training_plan.h"

#include <algorithm>

#include "common/cluster_size.h"
#include "common/epoch_examples.h"

namespace convoy {

TrainingPlan::TrainingPlan(const v1::Job& job, const Mode& mode, const v1::DataSummary& data)
    : sync(mode.rounds()),
      examples(EpochExamples(data)),
      validation_examples(data.validation_examples() + data.validation_old_examples()),
      test_examples(data.test_examples()),
      epochs(job.training().epochs()),
      slices(job.training().slices()),
      batch(job.training().batch_size()),
      batches_per_task(job.training().batches_per_task()),
      validate_every_epochs(job.training().validate_every_epochs()),
      max_steps(job.training().max_steps()) {
  if (!sync) batch = TaskBatchSize(job);
  // A step of local_sgd and a push of geo take several batches; a task stays about as long.
  batch *= mode.local_steps;
  batches_per_task = std::max<uint64_t>(1, batches_per_task / mode.local_steps);
}

uint64_t TrainingPlan::TotalSteps() const {
  const uint64_t all = epochs * StepsPerEpoch();
  return max_steps == 0 ? all : std::min(all, max_steps);
}

uint64_t TrainingPlan::ExamplesAt(uint64_t step) const {
  const uint64_t per_epoch = StepsPerEpoch();
  return step / per_epoch * examples + std::min(step % per_epoch * batch, examples);
}

double TrainingPlan::Epochs(uint64_t seen) const {
  return static_cast<double>(seen) / static_cast<double>(examples);
}

uint64_t TrainingPlan::ValidationTasks() const { return std::min(slices, validation_examples); }

uint64_t TrainingPlan::TestTasks() const { return std::min(slices, test_examples); }

}  // namespace convoy
