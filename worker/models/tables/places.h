// Where the examples of a batch read the rows of a table.
#ifndef CONVOY_WORKER_MODELS_TABLES_PLACES_H_
#define CONVOY_WORKER_MODELS_TABLES_PLACES_H_

#include <cstdint>
#include <span>

namespace convoy {

// Example e has the places offsets[e] to offsets[e + 1]. Sums over places run in their order, so
// that results depend on the batch alone. Gradients of rows are added to memory that is zeroed
// before.
struct Places {
  std::span<const int64_t> offsets;  // examples + 1, from 0
  std::span<const float> values;     // by place: the feature value x
  std::span<const uint32_t> rows;    // by place: the number of the row

  int64_t examples() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_PLACES_H_
