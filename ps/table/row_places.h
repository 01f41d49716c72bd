// Rows that a request pulls, and where in its reply they go.
#ifndef CONVOY_PS_TABLE_ROW_PLACES_H_
#define CONVOY_PS_TABLE_ROW_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/net/payload.h"
#include "ps/table/row_ids.h"

namespace convoy {

// Where rows that are pulled go: row-major [ids, columns]. `columns`: those of the table, or also
// the floats of the slots behind them, which workers ask for where these are anchors only.
struct RowsOut {
  float* values = nullptr;
  uint32_t columns = 0;
};

struct RowPlaces {
  // `columns`: floats of a row.
  RowPlaces(uint32_t table_number, uint32_t columns, RowIds wanted);

  RowsOut out_of(const BucketRun& run) const {
    return {values.get() + run.begin * columns, columns};
  }
  // All values, which the payload keeps.
  Payload payload() const { return Payload({values.get(), ids.size() * columns}, values); }

  uint32_t table;
  uint32_t columns;
  RowIds ids;
  std::shared_ptr<float[]> values;  // row-major [ids, columns]
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_PLACES_H_
