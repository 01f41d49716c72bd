// The training examples as a job visits them: how long an epoch is, which example comes when, how
// much it counts and how it is changed.
#ifndef CONVOY_WORKER_TRAINING_DATA_H_
#define CONVOY_WORKER_TRAINING_DATA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/data/augmentation.h"
#include "worker/data/dataset.h"
#include "worker/data/oversampling.h"
#include "worker/data/replay.h"
#include "worker/models/model.h"

namespace convoy {

// Immutable. Read by ExampleReader.
struct TrainingData {
  const Dataset* examples = nullptr;
  const Model* model = nullptr;
  uint64_t seed = 1;
  bool shuffle = true;
  std::vector<float> class_weights;          // by class; empty: all 1
  std::optional<Oversampling> oversampling;  // training.balance: OVERSAMPLE
  std::optional<Augmentation> augmentation;  // data.augment
  // data.negative_rate: the examples that are visited, by place; none: all.
  std::optional<std::vector<uint32_t>> kept;
  double negative_rate = 1;  // what predictions are to be corrected for
  // data.old.replay: what is replayed, and how; null: nothing.
  const Dataset* old = nullptr;
  std::optional<Replay> replay;
  std::optional<std::vector<uint32_t>> old_kept;  // as `kept`, of `old`

  // Examples that one epoch visits.
  uint64_t epoch_size() const;
  // Those of them that are not replayed.
  uint64_t fresh_size() const;
};

// By the settings of `job`; `examples`, `model` and `old`, which is replayed unless it is null,
// outlive the result.
// InvalidArgument: weights or over-sampling for a regression; weights that are not one for each
// class, or for a model that does not use them; data.negative_rate for a model that is not binary,
// or together with weights or over-sampling, or if it keeps no example; augmentation of what are no
// images; an epoch of 2^32 examples or more; replay with weights that balance classes.
absl::StatusOr<TrainingData> MakeTrainingData(const v1::Job& job, const Dataset& examples,
                                              const Model& model, const Dataset* old = nullptr);

// What is done to the examples, for the log; "": nothing.
std::string Describe(const TrainingData& training);

}  // namespace convoy

#endif  // CONVOY_WORKER_TRAINING_DATA_H_
