// What a worker trains with, before it knows its part: its data and its model.
#ifndef CONVOY_WORKER_SETUP_H_
#define CONVOY_WORKER_SETUP_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/coordinator.pb.h"
#include "worker/data/activity.h"
#include "worker/data/dataset.h"
#include "worker/data/old_data.h"
#include "worker/job_session.h"
#include "worker/models/model.h"
#include "worker/timed_model.h"
#include "worker/training_data.h"

namespace convoy {

struct TrainingSetup {
  DataSets data;
  OldSets old;  // data.old
  // One for each of cluster.threads_per_worker, all of the same class.
  std::vector<std::unique_ptr<TimedModel>> models;
  TrainingData training;
  v1::DataSummary summary;

  Model& model() const { return *models[0]; }
  // What all models took so far. Any thread.
  ComputeTimes compute_times() const;
};

// Opens the data of a resolved job, building caches where they are missing, builds the model, once
// for each thread, and checks every label. Errors are those of OpenData, MakeModel and
// MakeTrainingData; InvalidArgument: a label that is no class, with its example. Internal: a model
// class that is not the same when it is made again.
absl::StatusOr<TrainingSetup> PrepareTraining(const v1::Job& job,
                                              std::span<const ModelRegistration> models,
                                              const ActivityCallback& activity);

// Classes of a classifier: model.classes, or the largest label of the data + 1 (0 for regressions,
// and for custom models if labels are no class numbers). InvalidArgument: a label that is no class.
absl::StatusOr<int64_t> ClassesOf(const v1::Model& model, const Dataset& data);

// InvalidArgument: the data are ids without an upper bound, but the model has no embedding table.
absl::Status CheckIdsHaveTables(const Dataset& data, const Model& model);

// What the model of a job is told of its training data. `replayed`: old examples that come among
// them, null: none. Errors as of ClassesOf.
absl::StatusOr<ModelInput> ModelInputOf(const v1::Job& job, const DataSets& data,
                                        const Dataset* replayed = nullptr);

}  // namespace convoy

#endif  // CONVOY_WORKER_SETUP_H_
