#include "common/placement/placement.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

VariableSpec Variable(const std::string& name, int64_t size) {
  return {name, {size}, Initializer::Zeros()};
}

std::vector<VariableSpec> Mixed() {
  return {Variable("a", 3 * kBlockElements + 1), Variable("b", 10), Variable("c", kBlockElements),
          Variable("d", 1), Variable("e", 40000)};
}

TEST(PlacementTest, VariablesAreCutIntoBlocksInOrder) {
  const Placement placement = *Placement::Create(Mixed(), 3);
  // 4 blocks of a (the last of one element), then one each.
  ASSERT_EQ(placement.cells().size(), 8u);
  const std::span<const CellSpec> a = placement.cells_of_variable(0);
  ASSERT_EQ(a.size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a[i].id, i);
    EXPECT_EQ(a[i].offset, i * kBlockElements);
    EXPECT_EQ(a[i].size, i < 3 ? kBlockElements : 1);
  }
  EXPECT_EQ(placement.cells_of_variable(2).size(), 1u)
      << "exactly one block: no empty one after it";
  EXPECT_EQ(placement.cells_of_variable(4)[0].id, 7u);
  EXPECT_EQ(placement.Describe(3), "\"a\" block 3");
  EXPECT_EQ(placement.Describe(7), "\"e\" block 0");
}

TEST(PlacementTest, TheMapDependsOnModelAndServersOnly) {
  for (uint32_t servers = 1; servers <= kMaxServers; ++servers) {
    const Placement one = *Placement::Create(Mixed(), servers);
    const Placement two = *Placement::Create(Mixed(), servers);
    for (size_t i = 0; i < one.cells().size(); ++i)
      EXPECT_EQ(one.cells()[i].server, two.cells()[i].server);
  }
}

// Largest first onto the least loaded: no server has more than the lightest one and its own last
// block.
TEST(PlacementTest, BytesAreBalancedForAnyNumberOfServers) {
  std::vector<VariableSpec> variables;
  for (int64_t i = 0; i < 40; ++i)
    variables.push_back(Variable(absl::StrCat("v", i), 1 + i * i * 3000 % 200000));
  for (uint32_t servers = 1; servers <= kMaxServers; ++servers) {
    const Placement placement = *Placement::Create(variables, servers);
    EXPECT_EQ(placement.servers(), servers);
    int64_t lightest = INT64_MAX, all = 0;
    for (uint32_t s = 0; s < servers; ++s) {
      lightest = std::min(lightest, placement.elements_of_server(s));
      all += placement.elements_of_server(s);
    }
    int64_t expected = 0;
    for (const VariableSpec& variable : variables) expected += variable.size();
    EXPECT_EQ(all, expected);
    for (uint32_t s = 0; s < servers; ++s) {
      int64_t smallest = INT64_MAX, sum = 0;
      for (uint32_t id : placement.cells_of_server(s)) {
        EXPECT_EQ(placement.cells()[id].server, s);
        smallest = std::min<int64_t>(smallest, placement.cells()[id].size);
        sum += placement.cells()[id].size;
      }
      EXPECT_EQ(sum, placement.elements_of_server(s));
      EXPECT_TRUE(
          std::is_sorted(placement.cells_of_server(s).begin(), placement.cells_of_server(s).end()));
      if (sum > 0) {
        EXPECT_LE(sum - smallest, lightest) << servers << " servers, server " << s;
      }
    }
  }
}

// Sizes 5 4 3 3 3 on two servers: 5 | 4, then 3 to the second (7), 3 to the first (8), 3 to the
// second (10). In the order given (3 first) the result would be another.
TEST(PlacementTest, LargestBlocksGoFirstAndTiesToTheLowestRank) {
  const Placement placement = *Placement::Create(
      {Variable("p", 3), Variable("q", 3), Variable("r", 3), Variable("s", 4), Variable("t", 5)},
      2);
  EXPECT_EQ(placement.cells_of_server(0), (std::vector<uint32_t>{1, 4}));
  EXPECT_EQ(placement.cells_of_server(1), (std::vector<uint32_t>{0, 2, 3}));
}

TEST(PlacementTest, ServersBeyondTheCellsHoldNothing) {
  const Placement placement = *Placement::Create({Variable("a", 7), Variable("b", 7)}, 5);
  EXPECT_EQ(placement.cells_of_server(0), (std::vector<uint32_t>{0}));
  EXPECT_EQ(placement.cells_of_server(1), (std::vector<uint32_t>{1}));
  for (uint32_t s = 2; s < 5; ++s) {
    EXPECT_TRUE(placement.cells_of_server(s).empty());
    EXPECT_EQ(placement.elements_of_server(s), 0);
  }
}

TEST(PlacementTest, BadModelsAndServerCountsAreRefused) {
  const auto error = [](std::vector<VariableSpec> variables, uint32_t servers) {
    const absl::Status status = Placement::Create(std::move(variables), servers).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(error({Variable("w", 1), Variable("x", 1), Variable("w", 2)}, 1),
            "two variables of the model are called \"w\"");
  EXPECT_EQ(error(Mixed(), 0), "got 0 servers, want 1 to 64");
  EXPECT_EQ(error(Mixed(), 65), "got 65 servers, want 1 to 64");
  EXPECT_EQ(error({}, 1), "the model has no variables");
  // 2^48 + 2^16 elements are 2^32 + 1 blocks; refused before any memory is taken.
  EXPECT_EQ(error({Variable("w", (int64_t{1} << 48) + kBlockElements)}, 1),
            "the model has 4294967297 blocks of 256 KiB, at most 2^32 - 2");
}

}  // namespace
}  // namespace convoy
