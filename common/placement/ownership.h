// Which worker owns which slices at the start of a generation.
#ifndef CONVOY_COMMON_PLACEMENT_OWNERSHIP_H_
#define CONVOY_COMMON_PLACEMENT_OWNERSHIP_H_

#include <algorithm>
#include <cstdint>

namespace convoy {

struct SliceSpan {
  uint32_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
  bool operator==(const SliceSpan&) const = default;
};

// Worker `rank` of `workers` owns [floor(rank * S / W), floor((rank + 1) * S / W)) with W =
// min(workers, S); workers beyond S own nothing.
inline SliceSpan OwnedSlices(uint32_t rank, uint32_t workers, uint32_t slices) {
  const uint64_t owners = std::min(workers, slices);
  if (rank >= owners) return {};
  return {static_cast<uint32_t>(uint64_t{rank} * slices / owners),
          static_cast<uint32_t>((uint64_t{rank} + 1) * slices / owners)};
}

inline uint32_t OwnerOfSlice(uint32_t slice, uint32_t workers, uint32_t slices) {
  uint32_t rank = 0;
  while (OwnedSlices(rank, workers, slices).end <= slice) ++rank;
  return rank;
}

}  // namespace convoy

#endif  // CONVOY_COMMON_PLACEMENT_OWNERSHIP_H_
