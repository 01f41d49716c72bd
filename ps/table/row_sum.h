// Gradients of some rows of one bucket, summed over some slices.
#ifndef CONVOY_PS_TABLE_ROW_SUM_H_
#define CONVOY_PS_TABLE_ROW_SUM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/net/payload.h"
#include "ps/slice_round.h"
#include "ps/table/row_ids.h"

namespace convoy {

// The rows of a message, copied out of it: ids and values where they can be worked on.
struct RowBlock {
  RowIds rows;
  std::unique_ptr<float[]> values;  // row-major [rows, dim]
};

// `values`: one float32 for each row and column.
std::shared_ptr<const RowBlock> CopyRows(RowIds rows, const Payload& values);

// Refers to memory that `owner` keeps.
struct RowSum {
  std::span<const uint64_t> ids;        // ascending, each once
  std::span<const float> values;        // row-major [ids, dim]
  std::span<const uint32_t> sightings;  // [ids]: contributions that named the id; empty: 1 each
  uint64_t examples = 0;
  std::shared_ptr<const void> owner;

  size_t bytes() const { return values.size_bytes(); }
  uint32_t sightings_of(size_t i) const { return sightings.empty() ? 1 : sightings[i]; }
};

// left + right: rows of both, those that both have element by element. A row that one does not have
// keeps its bits.
class RowAdder {
 public:
  explicit RowAdder(uint32_t dim) : dim_(dim) {}
  RowSum operator()(const RowSum& left, const RowSum& right) const;

 private:
  uint32_t dim_;
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_SUM_H_
