// A worker's copy of the weights, by variable, and of the versions of their cells.
//
// With `hold` it has room for two: what arrives is kept aside until the variable is asked for
// again, so that a batch computes forward and backward with the same values while newer ones come
// in.
#ifndef CONVOY_WORKER_WEIGHT_COPY_H_
#define CONVOY_WORKER_WEIGHT_COPY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "common/aligned_buffer.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"

namespace convoy {

// Not thread-safe.
class WeightCopy {
 public:
  // `placement` outlives this.
  WeightCopy(const Placement* placement, bool hold);

  // Takes the values of a cell; their size is that of the cell.
  void Arrive(const CellValues& values);
  // All that has arrived, row-major, 64-byte aligned. Valid and, with `hold`, unchanged until the
  // next call for the variable.
  std::span<const float> Show(uint32_t variable);
  // Of the values that Show returned last.
  uint64_t version(uint32_t cell) const { return versions_[cell]; }

 private:
  const Placement* const placement_;
  const bool hold_;
  std::vector<AlignedBuffer> shown_;      // by variable
  std::vector<uint64_t> versions_;        // by cell
  std::vector<AlignedBuffer> aside_;      // by variable (hold)
  std::vector<uint64_t> aside_versions_;  // by cell
  std::vector<bool> is_aside_;            // by cell
  std::vector<size_t> cells_aside_;       // by variable: how many
};

}  // namespace convoy

#endif  // CONVOY_WORKER_WEIGHT_COPY_H_
