// Rows that a request pulls, and where in its reply they go.
#ifndef CONVOY_PS_TABLE_ROW_PLACES_H_
#define CONVOY_PS_TABLE_ROW_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/net/payload.h"
#include "ps/table/row_ids.h"

namespace convoy {

struct RowPlaces {
  RowPlaces(uint32_t table_number, uint32_t columns, RowIds wanted);

  float* out_of(const BucketRun& run) const { return values.get() + run.begin * dim; }
  // All values, which the payload keeps.
  Payload payload() const { return Payload({values.get(), ids.size() * dim}, values); }

  uint32_t table;
  uint32_t dim;
  RowIds ids;
  std::shared_ptr<float[]> values;  // row-major [ids, dim]
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_PLACES_H_
