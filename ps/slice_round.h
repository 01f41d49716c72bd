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
  // `tree` and `pool` outlive the round. The round is complete without `backup` (< slices) of its slices: then it takes
  // single slices only and adds nothing up before it is known which ones count.
  SliceRound(const SliceTree* tree, BufferPool* pool, uint32_t backup = 0)
      : tree_(tree), pool_(pool), needed_(tree->slices() - backup) {}

  // True if the slices of `node` are all counted already, alone or within a larger part.
  bool Has(TreeNode node) const;
  // Adds a part that Has() does not know. Parts of it that are stored are superseded. Siblings are added up
  // as soon as both are there (left + right, element by element); with backups, when the round is complete.
  void Add(TreeNode node, PartialSum part);
  // The sum over all slices, or over the first ones with backups, along the tree; once they are there.
  const PartialSum* Complete();
  void Clear() { parts_.clear(); }

  // The first slice that is missing. Its contribution is always admitted, so that memory limits can't stop a job.
  uint32_t LowestMissing() const;
  std::vector<uint32_t> Missing() const;
  // Bytes of gradient values held.
  size_t stored_bytes() const;

 private:
  // Climbs as long as the sibling is there, or there is no sibling.
  void Fold(TreeNode node);
  bool has_backups() const { return needed_ < tree_->slices(); }
  // The sum over what is there of the node's slices; null: nothing.
  std::optional<PartialSum> SumOf(TreeNode node) const;
  PartialSum Sum(const PartialSum& left, const PartialSum& right) const;

  const SliceTree* tree_;
  BufferPool* pool_;
  uint32_t needed_;   // slices
  std::map<TreeNode, PartialSum> parts_;   // disjoint
};

}  // namespace convoy

#endif  // CONVOY_PS_SLICE_ROUND_H_
