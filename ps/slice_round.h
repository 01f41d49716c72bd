// The contributions to one step of one cell, on their way to becoming the sum over all slices.
#ifndef CONVOY_PS_SLICE_ROUND_H_
#define CONVOY_PS_SLICE_ROUND_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/placement/slice_tree.h"

namespace convoy {

// Not thread-safe: used under the cell's lock. A Part is a sum over the slices of a tree node:
// cheap to copy, with `size_t bytes() const`, the gradient values that it holds. Adder has `Part
// operator()(const Part& left, const Part& right) const`, where a part without values changes
// nothing.
template <typename Part, typename Adder>
class SliceRound {
 public:
  // `tree` outlives the round. The round is complete without `backup` (< slices) of its slices:
  // then it takes single slices only and adds nothing up before it is known which ones count.
  SliceRound(const SliceTree* tree, Adder adder, uint32_t backup = 0)
      : tree_(tree), adder_(std::move(adder)), needed_(tree->slices() - backup) {}

  // True if the slices of `node` are all counted already, alone or within a larger part.
  bool Has(TreeNode node) const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [&](const auto& part) { return SliceTree::Covers(part.first, node); });
  }

  // Adds a part that Has() does not know. Parts of it that are stored are superseded. Siblings are
  // added up as soon as both are there (left + right, element by element); with backups, when the
  // round is complete.
  void Add(TreeNode node, Part part) {
    std::erase_if(parts_,
                  [&](const auto& stored) { return SliceTree::Covers(node, stored.first); });
    parts_[node] = std::move(part);
    if (!has_backups()) Fold(node);
  }

  // The sum over all slices, or over the first ones with backups, along the tree; once they are
  // there.
  const Part* Complete() {
    if (has_backups() && parts_.size() >= needed_) {
      Part sum = *SumOf(tree_->root());
      parts_.clear();
      parts_[tree_->root()] = std::move(sum);
    }
    const auto root = parts_.find(tree_->root());
    return root == parts_.end() ? nullptr : &root->second;
  }

  void Clear() { parts_.clear(); }

  // The first slice that is missing. Its contribution is always admitted, so that memory limits
  // can't stop a job.
  uint32_t LowestMissing() const {
    uint32_t slice = 0;
    while (slice < tree_->slices() && Has({0, slice})) ++slice;
    return slice;
  }

  std::vector<uint32_t> Missing() const {
    std::vector<uint32_t> missing;
    for (uint32_t slice = 0; slice < tree_->slices(); ++slice) {
      if (!Has({0, slice})) missing.push_back(slice);
    }
    return missing;
  }

  // Bytes of gradient values held.
  size_t stored_bytes() const {
    size_t bytes = 0;
    for (const auto& [node, part] : parts_) bytes += part.bytes();
    return bytes;
  }

 private:
  bool has_backups() const { return needed_ < tree_->slices(); }

  // Climbs as long as the sibling is there, or there is no sibling.
  void Fold(TreeNode node) {
    while (node != tree_->root()) {
      const TreeNode sibling = SliceTree::Sibling(node);
      Part sum;
      if (tree_->Contains(sibling)) {
        const auto other = parts_.find(sibling);
        if (other == parts_.end()) return;
        const Part& mine = parts_.at(node);
        sum = SliceTree::IsLeft(node) ? adder_(mine, other->second) : adder_(other->second, mine);
        parts_.erase(other);
      } else {
        sum = std::move(parts_.at(node));
      }
      parts_.erase(node);
      node = SliceTree::Parent(node);
      parts_[node] = std::move(sum);
    }
  }

  // The sum over what is there of the node's slices; null: nothing.
  std::optional<Part> SumOf(TreeNode node) const {
    if (const auto part = parts_.find(node); part != parts_.end()) return part->second;
    if (node.level == 0 || !tree_->Contains(node)) return std::nullopt;
    const std::optional<Part> left = SumOf({node.level - 1, 2 * node.index});
    const std::optional<Part> right = SumOf({node.level - 1, 2 * node.index + 1});
    if (!left || !right) return left ? left : right;
    return adder_(*left, *right);
  }

  const SliceTree* tree_;
  Adder adder_;
  uint32_t needed_;                 // slices
  std::map<TreeNode, Part> parts_;  // disjoint
};

}  // namespace convoy

#endif  // CONVOY_PS_SLICE_ROUND_H_
