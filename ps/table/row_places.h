// Rows that a request pulls, and where in its reply they go.
#ifndef CONVOY_PS_TABLE_ROW_PLACES_H_
#define CONVOY_PS_TABLE_ROW_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/net/payload.h"

namespace convoy {

// Ids of a message that lie in one bucket: [begin, end) of all.
struct BucketRun {
  uint32_t bucket = 0;
  size_t begin = 0, end = 0;
};

// The runs of ids that are ordered by bucket.
std::vector<BucketRun> BucketRuns(std::span<const uint64_t> ids);

struct RowPlaces {
  // `ids`: 8 bytes each, ordered by bucket.
  RowPlaces(uint32_t table, uint32_t dim, const Payload& ids);

  std::span<const uint64_t> ids_of(const BucketRun& run) const {
    return std::span(ids).subspan(run.begin, run.end - run.begin);
  }
  float* out_of(const BucketRun& run) const { return values.get() + run.begin * dim; }
  // All values, which the payload keeps.
  Payload payload() const { return Payload({values.get(), ids.size() * dim}, values); }

  uint32_t table;
  uint32_t dim;
  std::vector<uint64_t> ids;
  std::vector<BucketRun> runs;
  std::shared_ptr<float[]> values;  // row-major [ids, dim]
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_PLACES_H_
