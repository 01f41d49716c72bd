#include "common/checkpoint/shape_overlap.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace convoy {
namespace {

using Sizes = std::vector<uint64_t>;

// to -> from, by the definition: every index is below both sizes.
std::map<uint64_t, uint64_t> OverlapByDefinition(const Sizes& to, const Sizes& from) {
  std::map<uint64_t, uint64_t> pairs;
  uint64_t size = 1;
  for (const uint64_t n : to) size *= n;
  for (uint64_t value = 0; value < size; ++value) {
    uint64_t rest = value, other = 0, scale = 1;
    bool inside = true;
    for (size_t d = to.size(); d-- > 0;) {
      const uint64_t index = rest % to[d];
      rest /= to[d];
      inside = inside && index < from[d];
      other += index * scale;
      scale *= from[d];
    }
    if (inside) pairs[value] = other;
  }
  return pairs;
}

TEST(ShapeOverlapTest, EveryPieceHasTheValuesThatTheDefinitionGivesIt) {
  const std::vector<std::pair<Sizes, Sizes>> shapes = {{{3, 5}, {3, 5}},
                                                       {{3, 5}, {3, 4}},
                                                       {{4, 5}, {3, 5}},
                                                       {{4, 5}, {2, 3}},
                                                       {{7}, {4}},
                                                       {{7}, {7}},
                                                       {{3, 2, 4}, {2, 2, 3}},
                                                       {{3, 2, 4}, {3, 1, 4}},
                                                       {{2, 9}, {2, 1}},
                                                       {{}, {}},
                                                       {{2, 3, 2, 2}, {1, 3, 2, 2}}};
  for (const auto& [to, from] : shapes) {
    const std::map<uint64_t, uint64_t> want = OverlapByDefinition(to, from);
    uint64_t size = 1;
    for (const uint64_t n : to) size *= n;
    for (uint64_t first = 0; first <= size; ++first) {
      for (uint64_t count = 0; first + count <= size; ++count) {
        std::map<uint64_t, uint64_t> got;
        for (const OverlapRun& run : FindOverlap(to, from, first, count)) {
          for (uint64_t i = 0; i < run.length; ++i) got[run.to + i] = run.from + i;
        }
        std::map<uint64_t, uint64_t> part(want.lower_bound(first), want.lower_bound(first + count));
        ASSERT_EQ(got, part) << "values " << first << " to " << first + count;
      }
    }
  }
}

TEST(ShapeOverlapTest, EqualShapesAreOneRun) {
  const std::vector<OverlapRun> runs = FindOverlap(Sizes{100, 50}, Sizes{100, 50}, 7, 4000);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].to, 7u);
  EXPECT_EQ(runs[0].from, 7u);
  EXPECT_EQ(runs[0].length, 4000u);
}

}  // namespace
}  // namespace convoy
