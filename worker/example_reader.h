// The examples of a stretch of the data, as a model wants them: read from the cache, labels mapped
// and checked.
#ifndef CONVOY_WORKER_EXAMPLE_READER_H_
#define CONVOY_WORKER_EXAMPLE_READER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "worker/data/augmentation.h"
#include "worker/data/batch.h"
#include "worker/data/batches.h"
#include "worker/data/dataset.h"
#include "worker/data/oversampling.h"
#include "worker/data/replay.h"
#include "worker/models/model.h"
#include "worker/training_data.h"

namespace convoy {

// One thread. What it is made of outlives the reader.
class ExampleReader {
 public:
  // The examples as they are, in the order of the file: to measure.
  ExampleReader(const Dataset* data, const Model* model);
  // As the training visits them: shuffled, balanced, weighted, augmented. `model`, of the
  // training's class, maps the labels.
  ExampleReader(const TrainingData* training, const Model* model);
  // With the model of the training.
  explicit ExampleReader(const TrainingData* training) : ExampleReader(training, training->model) {}

  // The examples at `positions` of epoch `epoch`, a pure function of the two. InvalidArgument: a
  // label that the model can't have.
  absl::Status Read(uint64_t epoch, const Range& positions, Batch* batch);

 private:
  // What is read of a stretch of new examples, and of one with old ones among them. Labels as in
  // the file.
  void ReadFresh(uint64_t epoch, const Range& positions, Batch* batch);
  void ReadReplayed(uint64_t epoch, const Range& positions, Batch* batch);

  const Dataset* const data_;
  const Model* const model_;
  const std::vector<float> class_weights_;
  EpochOrder order_;
  std::optional<OversampledOrder> oversampled_;
  std::optional<Augmentation> augmentation_;
  const std::vector<uint32_t>* kept_ = nullptr;  // by place; null: all examples
  std::vector<uint32_t> examples_;
  // data.old.replay.
  const TrainingData* replayed_ = nullptr;  // null: nothing is
  std::optional<ReplayOrder> old_order_;
  Batch fresh_, old_;
};

// InvalidArgument: an example has a label that the model can't have; says which and what is
// allowed.
absl::Status CheckLabels(const Dataset& data, const Model& model);

}  // namespace convoy

#endif  // CONVOY_WORKER_EXAMPLE_READER_H_
