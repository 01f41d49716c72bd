#include "common/placement/slice_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

namespace convoy {
namespace {

using Span = std::pair<uint32_t, uint32_t>;  // [first, second)

// The tree from its definition: level 0 are the slices; each next level joins neighbours in pairs,
// and one that is left over goes up alone.
std::vector<std::vector<Span>> Levels(uint32_t slices) {
  std::vector<std::vector<Span>> levels(1);
  for (uint32_t s = 0; s < slices; ++s) levels[0].push_back({s, s + 1});
  while (levels.back().size() > 1) {
    std::vector<Span> next;
    for (size_t i = 0; i < levels.back().size(); i += 2) {
      const size_t right = std::min(i + 1, levels.back().size() - 1);
      next.push_back({levels.back()[i].first, levels.back()[right].second});
    }
    levels.push_back(next);
  }
  return levels;
}

TEST(SliceTreeTest, NodesAreThoseOfTheDefinition) {
  for (uint32_t slices = 1; slices <= 9; ++slices) {
    const SliceTree tree(slices);
    const auto levels = Levels(slices);
    EXPECT_EQ(tree.root(), (TreeNode{static_cast<uint32_t>(levels.size()) - 1, 0})) << slices;
    for (uint32_t level = 0; level < levels.size() + 2; ++level) {
      for (uint32_t index = 0; index < slices + 2; ++index) {
        const bool there = level < levels.size() && index < levels[level].size();
        ASSERT_EQ(tree.Contains({level, index}), there) << slices << " " << level << " " << index;
        if (!there) continue;
        EXPECT_EQ(tree.begin({level, index}), levels[level][index].first);
        EXPECT_EQ(tree.end({level, index}), levels[level][index].second);
      }
    }
  }
}

TEST(SliceTreeTest, NodesOfHugeNumbersAreNotThere) {
  const SliceTree tree(5);
  EXPECT_FALSE(tree.Contains({0, ~0u}));
  EXPECT_FALSE(tree.Contains({~0u, 0}));
  EXPECT_FALSE(tree.Contains({32, 0}));
  EXPECT_FALSE(tree.Contains({3, 0x20000000}));  // << 3 is 0 in 32 bits
}

TEST(SliceTreeTest, FamilyOfANode) {
  EXPECT_EQ(SliceTree::Parent({0, 5}), (TreeNode{1, 2}));
  EXPECT_EQ(SliceTree::Sibling({0, 5}), (TreeNode{0, 4}));
  EXPECT_EQ(SliceTree::Sibling({1, 2}), (TreeNode{1, 3}));
  EXPECT_TRUE(SliceTree::IsLeft({0, 4}));
  EXPECT_FALSE(SliceTree::IsLeft({0, 5}));
}

TEST(SliceTreeTest, CoversIsAncestorOrSelf) {
  for (uint32_t slices = 1; slices <= 9; ++slices) {
    const auto levels = Levels(slices);
    std::vector<TreeNode> all;
    for (uint32_t level = 0; level < levels.size(); ++level) {
      for (uint32_t i = 0; i < levels[level].size(); ++i) all.push_back({level, i});
    }
    for (TreeNode inner : all) {
      std::set<TreeNode> ancestors;
      for (TreeNode node = inner; node.level < levels.size(); node = SliceTree::Parent(node))
        ancestors.insert(node);
      for (TreeNode outer : all)
        EXPECT_EQ(SliceTree::Covers(outer, inner), ancestors.count(outer) == 1);
    }
  }
}

TEST(SliceTreeTest, SubtreesMakeUpTheRangeExactlyAndAreAsLargeAsAllowed) {
  for (uint32_t slices = 1; slices <= 9; ++slices) {
    const SliceTree tree(slices);
    for (uint32_t max_level = 0; max_level <= 4; ++max_level) {
      for (uint32_t begin = 0; begin <= slices; ++begin) {
        for (uint32_t end = begin; end <= slices; ++end) {
          uint32_t next = begin;
          for (TreeNode node : tree.Subtrees(begin, end, max_level)) {
            ASSERT_TRUE(tree.Contains(node));
            EXPECT_LE(node.level, max_level);
            EXPECT_EQ(tree.begin(node), next);
            next = tree.end(node);
            if (node.level < max_level && node != tree.root()) {
              const TreeNode parent = SliceTree::Parent(node);
              EXPECT_FALSE(tree.begin(parent) >= begin && tree.end(parent) <= end)
                  << "its parent would fit too";
            }
          }
          EXPECT_EQ(next, end) << slices << " slices, [" << begin << ", " << end << ")";
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy
