#include "common/optimizers/anchored.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "tests/common/optimizers/optimizer_fixture.h"
#include "tests/common/optimizers/row_fixture.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Weights, gradients and slots of one update, with the slots in the caller's hands.
struct Anchored {
  std::vector<float> weights;
  std::vector<std::vector<float>> slots;

  void Update(const Optimizer& optimizer, float rate, const std::vector<float>& gradient,
              float inverse_count = 1) {
    std::vector<float*> pointers;
    for (auto& slot : slots) pointers.push_back(slot.data());
    optimizer.Apply({rate, 1, inverse_count},
                    {gradient.data(), weights.data(), weights.data(), pointers.data(),
                     static_cast<int64_t>(weights.size())});
  }
};

bool IsNotAnchored(float value) {
  return std::bit_cast<uint32_t>(value) == std::bit_cast<uint32_t>(kNotAnchored);
}

TEST(AnchoredTest, ThePullIsTheStrengthTimesTheDistance) {
  const auto sgd = OptimizerFromText("sgd {} anchor: 0.5");
  EXPECT_THAT(sgd->slot_names(), ElementsAre("anchor"));
  Anchored variable{{3, 3, 3}, {{1, 3, kNotAnchored}}};
  variable.Update(*sgd, 0.1f, {4, 4, 4}, 0.5f);
  // g = 4 / 2; w - 0.1 (g + 0.5 (w - a)); the last has no anchor.
  EXPECT_FLOAT_EQ(variable.weights[0], 3 - 0.1f * (2 + 0.5f * 2));
  EXPECT_FLOAT_EQ(variable.weights[1], 3 - 0.1f * 2);
  EXPECT_FLOAT_EQ(variable.weights[2], 3 - 0.1f * 2);
  EXPECT_EQ(variable.slots[0][0], 1);
  EXPECT_TRUE(IsNotAnchored(variable.slots[0][2]));
}

TEST(AnchoredTest, AnAnchorOfZeroIsOne) {
  const auto sgd = OptimizerFromText("sgd {} anchor: 0.5");
  std::vector<float> anchors = {-0.0f, 0.0f, 2.0f};
  AnchorTo(anchors);
  Anchored variable{{3, 3, 3}, {anchors}};
  variable.Update(*sgd, 0.1f, {0, 0, 0});
  EXPECT_THAT(variable.weights, ElementsAre(3 - 0.1f * 1.5f, 3 - 0.1f * 1.5f, 3 - 0.1f * 0.5f));
}

TEST(AnchoredTest, TheGradientIsClippedBeforeThePullAndPenaltiesAreAdded) {
  const auto sgd = OptimizerFromText("sgd {} anchor: 0.5 clip_value: 1 l2: 0.25 l1: 0.125");
  Anchored variable{{4}, {{0}}};
  variable.Update(*sgd, 1, {100});
  // 1 + 0.5 * 4 + 0.25 * 4 + 0.125
  EXPECT_EQ(variable.weights[0], 4 - 4.125f);
}

TEST(AnchoredTest, TheRuleSeesGradientAndPullTogether) {
  const auto anchored = OptimizerFromText("adam {} anchor: 0.5");
  const auto plain = OptimizerFromText("adam {}");
  EXPECT_THAT(anchored->slot_names(), ElementsAre("m", "v", "anchor"));
  Anchored a{{3, 3}, {{0, 0}, {0, 0}, {1, kNotAnchored}}}, b{{3, 3}, {{0, 0}, {0, 0}}};
  a.Update(*anchored, 0.1f, {0.25f, 0.25f});
  b.Update(*plain, 0.1f, {0.25f + 0.5f * (3 - 1), 0.25f});
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.slots[0], b.slots[0]);
  EXPECT_EQ(a.slots[1], b.slots[1]);
}

TEST(AnchoredTest, WithoutAnchorsEveryRuleHasItsOwnBits) {
  for (const char* rule : {"sgd {}", "momentum {}", "nesterov {}", "adagrad {}", "rmsprop {}",
                           "adam {}", "adamw {}"}) {
    const std::string terms = " l2: 0.01 l1: 0.1 clip_value: 0.2";
    const auto plain = OptimizerFromText(rule + terms);
    const auto anchored = OptimizerFromText(rule + terms + " anchor: 0.5");
    TestVariable a(*plain, {0.5f, 0, -0.25f}), b(*anchored, {0.5f, 0, -0.25f});
    for (int i = 0; i < 3; ++i) {
      a.Update(*plain, 0.1f, {0.3f, -1, 0.01f}, 0.5f);
      b.Update(*anchored, 0.1f, {0.3f, -1, 0.01f}, 0.5f);
    }
    EXPECT_EQ(a.weights(), b.weights()) << rule;
    ASSERT_EQ(b.slots().size(), a.slots().size() + 1) << rule;
    for (size_t s = 0; s < a.slots().size(); ++s) EXPECT_EQ(a.slots()[s], b.slots()[s]) << rule;
    for (const float anchor : b.slots().back()) EXPECT_TRUE(IsNotAnchored(anchor)) << rule;
  }
}

// w* minimises (w - target)^2 / 2 + strength / 2 (w - anchor)^2.
TEST(AnchoredTest, DescentEndsBetweenTheTargetAndTheAnchor) {
  const auto sgd = OptimizerFromText("sgd {} anchor: 3");
  Anchored variable{{2}, {{2}}};
  for (int i = 0; i < 200; ++i) variable.Update(*sgd, 0.1f, {variable.weights[0] - 10});
  EXPECT_NEAR(variable.weights[0], (10 + 3 * 2) / 4.0, 1e-5);
}

TEST(AnchoredTest, RangesOfARowHaveAnchorsBehindTheirSlots) {
  const RowUpdater updater = UpdaterFromText(
      "adagrad {} anchor: 0.5 override { match: 'table/a' anchor: 0 } "
      "override { match: 'table/c' rowwise_adagrad {} }",
      {{"a", 1, {}}, {"b", 2, {}}, {"c", 2, {}}});
  std::vector<std::string> names;
  for (const auto& slot : updater.slot_columns()) names.push_back(slot.name);
  EXPECT_THAT(names, ElementsAre("a/a", "b/a", "b/anchor", "c/a", "c/anchor"));
  EXPECT_EQ(updater.slot_floats(), 1u + 2 + 2 + 1 + 2);
  TestRow row(updater, {1, 1, 1, 1, 1});
  for (const size_t anchor : {3, 4, 6, 7}) EXPECT_TRUE(IsNotAnchored(row.slots[anchor]));
  row.slots[3] = 3;  // of the first column of "b"
  row.slots[7] = 5;  // of the second one of "c"
  row.Update(updater, 1, {2, 2, 2, 2, 2});
  EXPECT_EQ(row.slots[1], 1);               // b: (2 + 0.5 (1 - 3))^2
  EXPECT_EQ(row.slots[2], 4);               // b, not anchored: 2^2
  EXPECT_EQ(row.slots[5], (4 + 0) / 2.0f);  // c: mean of 2^2 and (2 + 0.5 (1 - 5))^2
  EXPECT_FLOAT_EQ(row.weights[1], 1 - 0.01f * 1 / (1 + 1e-8f));
  EXPECT_FLOAT_EQ(row.weights[4], 1);  // 2 - 2
  EXPECT_EQ(row.slots[3], 3);
}

TEST(AnchoredTest, RowsHaveTheBitsOfDenseVariables) {
  for (const char* rule : {"sgd {}", "momentum {}", "adam {}", "adamw {}"}) {
    const std::string text = std::string(rule) + " anchor: 0.25 clip_value: 0.5";
    const auto dense = OptimizerFromText(text);
    const RowUpdater updater = UpdaterFromText(text, {{"w", 3, {}}});
    const std::vector<float> start = {0.5f, -1, 2}, gradient = {0.1f, 3, -0.2f};
    Anchored variable{start, {}};
    for (int s = 0; s + 1 < dense->num_slots(); ++s) variable.slots.emplace_back(3, 0.0f);
    variable.slots.push_back({0.25f, kNotAnchored, 1});
    TestRow row(updater, start);
    std::copy_n(variable.slots.back().begin(), 3, row.slots.end() - 3);
    variable.Update(*dense, 0.01f, gradient, 0.5f);
    row.Update(updater, 1, gradient, 0.5f);
    EXPECT_EQ(row.weights, variable.weights) << rule;
  }
}

TEST(AnchoredTest, FrozenVariablesNeedNoAnchor) {
  EXPECT_THAT(OptimizerFromText("adam {} anchor: 0.5 freeze: 'w'")->slot_names(),
              ElementsAre("m", "v"));
}

TEST(AnchoredTest, FtrlAndNumbersBelowZeroAreRefused) {
  for (const auto& [text, part] : {std::pair{"ftrl {} anchor: 0.5", "whose rule is ftrl"},
                                   {"sgd {} anchor: -1", "optimizer.anchor must be >= 0"}}) {
    v1::Optimizer config;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
    const absl::Status dense = MakeOptimizer(*SettingsFor(config, "w")).status();
    EXPECT_EQ(dense.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(dense.message()), HasSubstr(part));
    EXPECT_THAT(std::string(TryUpdater(text, {{"w", 2, {}}}).status().message()), HasSubstr(part));
  }
}

TEST(AnchoredTest, TheStrongestIsThatOfTheJobOrOfAnOverride) {
  v1::Optimizer config;
  EXPECT_EQ(StrongestAnchor(config), 0);
  config.add_override()->set_anchor(0.5);
  EXPECT_EQ(StrongestAnchor(config), 0.5);
  config.set_anchor(2);
  EXPECT_EQ(StrongestAnchor(config), 2);
}

TEST(AnchoredTest, SlotsAreKnownByName) {
  EXPECT_TRUE(IsAnchorSlot("anchor"));
  EXPECT_TRUE(IsAnchorSlot("factors/anchor"));
  EXPECT_FALSE(IsAnchorSlot("anchor/m"));
  EXPECT_FALSE(IsAnchorSlot("my_anchor"));
  EXPECT_THAT(WithoutAnchorSlots({"m", "anchor", "v"}), ElementsAre("m", "v"));
}

}  // namespace
}  // namespace convoy
