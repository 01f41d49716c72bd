// The fixed binary tree along which the slices of a global batch are added up: 0+1, 2+3, then pairs
// of these, and so on. Because the tree depends on the number of slices only, a sum has the same
// bits whoever computed which slice and in which order the parts arrived.
#ifndef CONVOY_COMMON_PLACEMENT_SLICE_TREE_H_
#define CONVOY_COMMON_PLACEMENT_SLICE_TREE_H_

#include <compare>
#include <cstdint>
#include <vector>

namespace convoy {

// Node `index` of level `level` covers the slices [index << level, (index + 1) << level), cut at S.
struct TreeNode {
  uint32_t level = 0;
  uint32_t index = 0;

  auto operator<=>(const TreeNode&) const = default;
};

class SliceTree {
 public:
  // slices >= 1.
  explicit SliceTree(uint32_t slices);

  uint32_t slices() const { return slices_; }
  TreeNode root() const { return {depth_, 0}; }
  bool Contains(TreeNode node) const;
  uint32_t begin(TreeNode node) const { return node.index << node.level; }
  uint32_t end(TreeNode node) const;

  static TreeNode Parent(TreeNode node) { return {node.level + 1, node.index / 2}; }
  static TreeNode Sibling(TreeNode node) { return {node.level, node.index ^ 1u}; }
  static bool IsLeft(TreeNode node) { return node.index % 2 == 0; }
  // True if `outer` is `inner` or one of its ancestors.
  static bool Covers(TreeNode outer, TreeNode inner);

  // The largest whole subtrees, of at most 2^max_level slices each, that make up [begin, end).
  std::vector<TreeNode> Subtrees(uint32_t begin, uint32_t end, uint32_t max_level) const;

 private:
  uint32_t slices_;
  uint32_t depth_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_PLACEMENT_SLICE_TREE_H_
