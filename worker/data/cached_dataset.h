// Data sets that read from a mapped cache.
#ifndef CONVOY_WORKER_DATA_CACHED_DATASET_H_
#define CONVOY_WORKER_DATA_CACHED_DATASET_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "worker/data/cache.h"
#include "worker/data/dataset.h"

namespace convoy {

// Which part of a cache a data set shows, and how.
struct DatasetOptions {
  int64_t features = 0;  // at least those of a sparse cache, exactly those of a dense one; ids: 0
  int64_t fields = 0;    // at least those of a cache of ids; 0 if that has none
  float scale = 1;
  // Examples of the cache, in the data set's order; 4 bytes each. Only if `selected`.
  std::vector<uint32_t> rows;
  bool selected = false;
};

// Dense, sparse or of ids, as the cache is.
std::unique_ptr<Dataset> MakeDataset(std::shared_ptr<const CacheFile> cache,
                                     DatasetOptions options);

// Multiplies `in` by `scale` into `out` (as long as `in`). Elementwise: the same bits for any
// split.
void ScaleRow(std::span<const uint8_t> in, float scale, float* out);
void ScaleRow(std::span<const float> in, float scale, float* out);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CACHED_DATASET_H_
