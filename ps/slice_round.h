// The contributions to one step of one cell, on their way to becoming the sum over all slices.
#ifndef CONVOY_PS_SLICE_ROUND_H_
#define CONVOY_PS_SLICE_ROUND_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/net/payload.h"
#include "common/placement/slice_tree.h"
#include "ps/buffer_pool.h"

namespace convoy {

// A part of the sum: values over the slices of a tree node, and how many examples they stand for. Empty
// values are "no gradient", which is not the same as zeros: x + nothing has exactly the bits of x.
struct PartialSum {
  Payload values;
  uint64_t examples = 0;
};

// Not thread-safe: used under the cell's lock.
class SliceRound {
 public:
  // `tree` and `pool` outlive the round.
  SliceRound(const SliceTree* tree, BufferPool* pool) : tree_(tree), pool_(pool) {}

  // True if the slices of `node` are all counted already, alone or within a larger part.
  bool Has(TreeNode node) const;
  // Adds a part that Has() does not know. Parts of it that are stored are superseded. Siblings are added up
  // as soon as both are there (left + right, element by element).
  void Add(TreeNode node, PartialSum part);
  // The sum over all slices, once all are there.
  const PartialSum* Complete() const;
  void Clear() { parts_.clear(); }

  // The first slice that is missing. Its contribution is always admitted, so that memory limits can't stop a job.
  uint32_t LowestMissing() const;
  std::vector<uint32_t> Missing() const;
  // Bytes of gradient values held.
  size_t stored_bytes() const;

 private:
  // Climbs as long as the sibling is there, or there is no sibling.
  void Fold(TreeNode node);
  PartialSum Sum(const PartialSum& left, const PartialSum& right) const;

  const SliceTree* tree_;
  BufferPool* pool_;
  std::map<TreeNode, PartialSum> parts_;   // disjoint
};

}  // namespace convoy

#endif  // CONVOY_PS_SLICE_ROUND_H_
