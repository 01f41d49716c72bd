// The part that two row-major tensors of the same number of dimensions have in common: the first
// values of each dimension.
#ifndef CONVOY_COMMON_CHECKPOINT_SHAPE_OVERLAP_H_
#define CONVOY_COMMON_CHECKPOINT_SHAPE_OVERLAP_H_

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

// `length` values from value `to` of the one are those from value `from` of the other.
struct OverlapRun {
  uint64_t to = 0;
  uint64_t from = 0;
  uint64_t length = 0;
};

// The runs among values [first, first + count) of a tensor of shape `to` that are in a tensor of
// shape `from` as well. No size is 0. Ascending in both; runs that follow each other in both are
// one.
std::vector<OverlapRun> FindOverlap(std::span<const uint64_t> to, std::span<const uint64_t> from,
                                    uint64_t first, uint64_t count);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_SHAPE_OVERLAP_H_
