// Some examples, ready for a model.
#ifndef CONVOY_WORKER_DATA_BATCH_H_
#define CONVOY_WORKER_DATA_BATCH_H_

#include <cstdint>
#include <span>
#include <vector>

#include "common/aligned_buffer.h"

namespace convoy {

// Either dense (dense.size() == size * features) or sparse in compressed rows. Owned by the caller,
// reused from batch to batch.
struct Batch {
  int64_t size = 0;      // examples; may be 0
  int64_t features = 0;  // of one example
  bool sparse = false;

  AlignedBuffer dense;               // row-major [size, features] float32 (capacity may be larger)
  std::vector<int64_t> row_offsets;  // sparse: size + 1 offsets into columns and values
  std::vector<uint32_t> columns;     // sparse: feature indices from 0
  std::vector<float> values;         // sparse: feature values
  // Data of ids without an upper bound (libffm, Criteo, hashed columns) are sparse and have ids and
  // fields in place of columns, as many as values. An id comes once in a field of an example.
  std::vector<uint64_t> ids;     // at most 2^63
  std::vector<uint32_t> fields;  // from 0; all 0 if the format has none

  std::vector<float> labels;  // [size]: class number from 0, or the target of a regression
  // [size]: the example's number i in the data set of n examples; k * n + i where over-sampling
  // repeats it for the k-th time in the epoch. With replay old examples are numbered behind the new
  // ones, and n counts both. Randomness of an example (dropout, augmentation) is
  // keyed by (seed, name, epoch, this).
  std::vector<uint64_t> examples;
  // [size]: what loss and gradient of the example are multiplied by; empty: all 1.
  std::vector<float> weights;
  uint64_t epoch = 0;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_BATCH_H_
