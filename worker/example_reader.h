// The examples of a stretch of the data, as a model wants them: read from the cache, labels mapped and checked.
#ifndef CONVOY_WORKER_EXAMPLE_READER_H_
#define CONVOY_WORKER_EXAMPLE_READER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "worker/data/batch.h"
#include "worker/data/batches.h"
#include "worker/data/dataset.h"
#include "worker/models/model.h"

namespace convoy {

// One thread. `data` and `model` outlive the reader.
class ExampleReader {
 public:
  ExampleReader(const Dataset* data, const Model* model, uint64_t seed, bool shuffle)
      : data_(data), model_(model), order_(static_cast<uint64_t>(data->size()), seed, shuffle) {}

  // The examples at `positions` of epoch `epoch`. InvalidArgument: a label that the model can't have.
  absl::Status Read(uint64_t epoch, const Range& positions, Batch* batch);

 private:
  const Dataset* const data_;
  const Model* const model_;
  EpochOrder order_;
  std::vector<uint32_t> examples_;
};

// InvalidArgument: an example has a label that the model can't have; says which and what is allowed.
absl::Status CheckLabels(const Dataset& data, const Model& model);

}  // namespace convoy

#endif  // CONVOY_WORKER_EXAMPLE_READER_H_
