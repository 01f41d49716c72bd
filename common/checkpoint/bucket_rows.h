// What a checkpoint has of one bucket of an embedding table.
#ifndef CONVOY_COMMON_CHECKPOINT_BUCKET_ROWS_H_
#define CONVOY_COMMON_CHECKPOINT_BUCKET_ROWS_H_

#include <cstdint>
#include <vector>

namespace convoy {

// The rows of a bucket, ids ascending. May be used for one bucket after the other.
struct BucketRows {
  std::vector<uint64_t> ids;
  std::vector<float> weights;      // row-major [ids, dim]
  std::vector<float> slots;        // row-major [ids, slot_floats]
  std::vector<uint32_t> counters;  // row-major [ids, 2]: step of the last change, updates
};

// An id that is not admitted yet.
struct WaitingId {
  uint64_t id = 0;
  uint64_t sightings = 0;
  uint64_t last_step = 0;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_BUCKET_ROWS_H_
