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

// Where rows that are pulled go: row-major [ids, columns]. `columns`: those of the table, or also
// the floats of the slots behind them, which workers ask for where these are anchors only.
struct RowsOut {
  float* values = nullptr;
  uint32_t columns = 0;
};

struct RowPlaces {
  // `ids`: 8 bytes each, ordered by bucket. `columns`: floats of a row.
  RowPlaces(uint32_t table, uint32_t columns, const Payload& ids);

  std::span<const uint64_t> ids_of(const BucketRun& run) const {
    return std::span(ids).subspan(run.begin, run.end - run.begin);
  }
  RowsOut out_of(const BucketRun& run) const {
    return {values.get() + run.begin * columns, columns};
  }
  // All values, which the payload keeps.
  Payload payload() const { return Payload({values.get(), ids.size() * columns}, values); }

  uint32_t table;
  uint32_t columns;
  std::vector<uint64_t> ids;
  std::vector<BucketRun> runs;
  std::shared_ptr<float[]> values;  // row-major [ids, columns]
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_PLACES_H_
