#include "ps/slice_round.h"

#include <algorithm>
#include <utility>

namespace convoy {

bool SliceRound::Has(TreeNode node) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const auto& part) { return SliceTree::Covers(part.first, node); });
}

void SliceRound::Add(TreeNode node, PartialSum part) {
  std::erase_if(parts_, [&](const auto& stored) { return SliceTree::Covers(node, stored.first); });
  parts_[node] = std::move(part);
  if (!has_backups()) Fold(node);
}

void SliceRound::Fold(TreeNode node) {
  while (node != tree_->root()) {
    const TreeNode sibling = SliceTree::Sibling(node);
    PartialSum sum;
    if (tree_->Contains(sibling)) {
      const auto other = parts_.find(sibling);
      if (other == parts_.end()) return;
      const PartialSum& mine = parts_.at(node);
      sum = SliceTree::IsLeft(node) ? Sum(mine, other->second) : Sum(other->second, mine);
      parts_.erase(other);
    } else {
      sum = std::move(parts_.at(node));
    }
    parts_.erase(node);
    node = SliceTree::Parent(node);
    parts_[node] = std::move(sum);
  }
}

PartialSum SliceRound::Sum(const PartialSum& left, const PartialSum& right) const {
  const uint64_t examples = left.examples + right.examples;
  if (left.values.empty()) return {right.values, examples};
  if (right.values.empty()) return {left.values, examples};
  const VersionBuffer sum = pool_->Acquire(left.values.size() / sizeof(float));
  float* out = sum->data();
  left.values.CopyTo(out);
  ForEachFloatRun(right.values, [out](const float* values, size_t count, size_t index) {
    float* to = out + index;
    for (size_t i = 0; i < count; ++i) to[i] += values[i];
  });
  return {Payload(*sum, sum), examples};
}

std::optional<PartialSum> SliceRound::SumOf(TreeNode node) const {
  if (const auto part = parts_.find(node); part != parts_.end()) return part->second;
  if (node.level == 0 || !tree_->Contains(node)) return std::nullopt;
  const std::optional<PartialSum> left = SumOf({node.level - 1, 2 * node.index});
  const std::optional<PartialSum> right = SumOf({node.level - 1, 2 * node.index + 1});
  if (!left || !right) return left ? left : right;
  return Sum(*left, *right);
}

const PartialSum* SliceRound::Complete() {
  if (has_backups() && parts_.size() >= needed_) {
    PartialSum sum = *SumOf(tree_->root());
    parts_.clear();
    parts_[tree_->root()] = std::move(sum);
  }
  const auto root = parts_.find(tree_->root());
  return root == parts_.end() ? nullptr : &root->second;
}

std::vector<uint32_t> SliceRound::Missing() const {
  std::vector<uint32_t> missing;
  for (uint32_t slice = 0; slice < tree_->slices(); ++slice) {
    if (!Has({0, slice})) missing.push_back(slice);
  }
  return missing;
}

uint32_t SliceRound::LowestMissing() const {
  uint32_t slice = 0;
  while (slice < tree_->slices() && Has({0, slice})) ++slice;
  return slice;
}

size_t SliceRound::stored_bytes() const {
  size_t bytes = 0;
  for (const auto& [node, part] : parts_) bytes += part.values.size();
  return bytes;
}

}  // namespace convoy
