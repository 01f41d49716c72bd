#include "common/placement/slice_tree.h"

#include <algorithm>
#include <bit>

namespace convoy {

SliceTree::SliceTree(uint32_t slices)
    : slices_(slices), depth_(static_cast<uint32_t>(std::bit_width(slices - 1))) {}

bool SliceTree::Contains(TreeNode node) const {
  return node.level <= depth_ && (uint64_t{node.index} << node.level) < slices_;
}

uint32_t SliceTree::end(TreeNode node) const {
  return static_cast<uint32_t>(
      std::min<uint64_t>(slices_, (uint64_t{node.index} + 1) << node.level));
}

bool SliceTree::Covers(TreeNode outer, TreeNode inner) {
  return outer.level >= inner.level && inner.index >> (outer.level - inner.level) == outer.index;
}

std::vector<TreeNode> SliceTree::Subtrees(uint32_t begin, uint32_t end, uint32_t max_level) const {
  std::vector<TreeNode> nodes;
  while (begin < end) {
    TreeNode node{0, begin};
    while (node.level < std::min(max_level, depth_) && IsLeft(node) &&
           this->end(Parent(node)) <= end) {
      node = Parent(node);
    }
    nodes.push_back(node);
    begin = this->end(node);
  }
  return nodes;
}

}  // namespace convoy
