#include "common/optimizers/row_updater.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "common/math/random.h"
#include "tests/common/optimizers/optimizer_fixture.h"
#include "tests/common/optimizers/row_fixture.h"

namespace convoy {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kTwoRules[] =
    "adagrad { initial_accumulator: 0.5 } learning_rate: 0.1 "
    "override { match: 'table/weight' ftrl {} l1: 1 learning_rate: 0.2 }";
const std::vector<ColumnRange> kTwoRanges = {{"weight", 1, {}}, {"factors", 3, {}}};

std::string ErrorOf(const std::string& text, std::vector<ColumnRange> ranges) {
  const auto updater = TryUpdater(text, std::move(ranges));
  EXPECT_EQ(updater.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(updater.status().message());
}

TEST(RowUpdaterTest, SlotsStandRangeByRangeAndAreNamed) {
  const RowUpdater updater = UpdaterFromText(kTwoRules, kTwoRanges);
  EXPECT_EQ(updater.dim(), 4u);
  EXPECT_EQ(updater.slot_floats(), 2u + 3u);
  ASSERT_EQ(updater.slot_columns().size(), 3u);
  const auto is = [&](size_t i, const char* name, uint32_t begin, uint32_t size) {
    const RowUpdater::SlotColumns& slot = updater.slot_columns()[i];
    return slot.name == name && slot.begin == begin && slot.size == size;
  };
  EXPECT_TRUE(is(0, "weight/z", 0, 1));
  EXPECT_TRUE(is(1, "weight/n", 1, 1));
  EXPECT_TRUE(is(2, "factors/a", 2, 3));
  std::vector<float> slots(updater.slot_floats(), -1.0f);
  updater.InitializeSlots(slots.data());
  EXPECT_THAT(slots, ElementsAre(0, 0, 0.5f, 0.5f, 0.5f));
}

// weight: z = 3, |z| > l1 = 1: w = -(3 - 1) / ((1 + 3) / 0.2) = -0.1.
// factors: a = 0.5 + g^2, w = 1 - 0.1 * g / sqrt(a).
TEST(RowUpdaterTest, EveryRangeFollowsItsOwnRule) {
  const RowUpdater updater = UpdaterFromText(kTwoRules, kTwoRanges);
  TestRow row(updater, {0, 1, 1, 1});
  row.Update(updater, 1, {3, 0, 1, -2});
  EXPECT_NEAR(row.weights[0], -0.1, 1e-7);
  EXPECT_EQ(row.weights[1], 1);
  EXPECT_NEAR(row.weights[2], 1 - 0.1 / std::sqrt(1.5), 1e-7);
  EXPECT_NEAR(row.weights[3], 1 + 0.2 / std::sqrt(4.5), 1e-7);
  EXPECT_THAT(row.slots, ElementsAre(3, 9, 0.5f, 1.5f, 4.5f));
}

TEST(RowUpdaterTest, TheScheduleMultipliesTheRateOfEveryRange) {
  const RowUpdater updater =
      UpdaterFromText("sgd {} learning_rate: 1 override { match: 'table/b' learning_rate: 2 }",
                      {{"a", 1, {}}, {"b", 1, {}}});
  TestRow row(updater, {0, 0});
  row.Update(updater, 0.25, {4, 4}, 0.5f);
  EXPECT_THAT(row.weights, ElementsAre(-0.5f, -1));
}

TEST(RowUpdaterTest, ARateOfZeroFreezesARangeWithItsSlots) {
  const RowUpdater updater =
      UpdaterFromText("adam {} override { match: 'table/weight' learning_rate: 0 }", kTwoRanges);
  EXPECT_EQ(updater.slot_floats(), 8u);
  EXPECT_EQ(updater.slot_columns()[0].name, "weight/m");
  TestRow row(updater, {0.5f, 1, 1, 1});
  row.slots[0] = 0.25f;  // from before
  row.Update(updater, 1, {1, 1, 1, 1});
  EXPECT_EQ(row.weights[0], 0.5f);
  EXPECT_EQ(row.slots[0], 0.25f);
  EXPECT_EQ(row.slots[1], 0);
  EXPECT_LT(row.weights[1], 1);
}

// A new row corrects its means for one update, however many others have taken.
TEST(RowUpdaterTest, AdamCountsTheUpdatesOfTheRow) {
  const RowUpdater updater = UpdaterFromText("adam {} learning_rate: 0.125", {{"w", 1, {}}});
  TestRow often(updater, {1}), once(updater, {1});
  for (int i = 0; i < 5; ++i) often.Update(updater, 1, {3});
  once.Update(updater, 1, {3});
  EXPECT_NEAR(often.weights[0], 1 - 5 * 0.125, 1e-6);
  EXPECT_NEAR(once.weights[0], 1 - 0.125, 1e-6);
}

TEST(RowUpdaterTest, OnlyZeroRowsOfTablesThatStartAtZeroReadAsUnknown) {
  const char* const ftrl = "ftrl {} l1: 1 learning_rate: 0.1";
  const RowUpdater zeros = UpdaterFromText(ftrl, {{"weight", 2, Initializer::Zeros()}});
  TestRow row(zeros, {0, 0});
  row.Update(zeros, 1, {0.75f, -0.75f});  // |z| <= l1
  EXPECT_TRUE(zeros.ReadsAsUnknown(row.weights.data()));
  row.Update(zeros, 1, {0, -0.75f});  // z = -1.5: remembered, so the row wakes up
  EXPECT_EQ(row.weights[0], 0);
  EXPECT_GT(row.weights[1], 0);
  EXPECT_FALSE(zeros.ReadsAsUnknown(row.weights.data()));
  const float zero[3] = {0, 0, 0};
  const RowUpdater random = UpdaterFromText(
      ftrl, {{"weight", 2, {}}, {"factors", 1, {Initializer::Kind::kNormal, 0.1f}}});
  EXPECT_FALSE(random.ReadsAsUnknown(zero));
  EXPECT_FALSE(UpdaterFromText(ftrl, {{"w", 1, Initializer::Constant(1)}}).ReadsAsUnknown(zero));
  EXPECT_TRUE(UpdaterFromText(ftrl, {{"w", 1, Initializer::Constant(0)}}).ReadsAsUnknown(zero));
}

TEST(RowUpdaterTest, DifferencesAreAddedUpWithoutSlotsOrRates) {
  const TableSpec table{"table", kTwoRanges};
  const RowUpdater average = *RowUpdater::ForDifferences(DifferenceRule::kAverage, {}, table);
  const RowUpdater add = *RowUpdater::ForDifferences(DifferenceRule::kAdd, {}, table);
  EXPECT_EQ(average.dim(), 4u);
  EXPECT_EQ(average.slot_floats(), 0u);
  TestRow row(average, {1, 1, 1, 1});
  row.Update(average, 0.1, {4, 0, -8, 2}, 0.25f);
  EXPECT_THAT(row.weights, ElementsAre(2, 1, -1, 1.5f));
  row.Update(add, 0.1, {4, 0, -8, 2}, 0.25f);
  EXPECT_THAT(row.weights, ElementsAre(6, 1, -9, 3.5f));
  EXPECT_FALSE(RowUpdater::ForDifferences(DifferenceRule::kAdd, {}, {"table", {}}).ok());
}

TEST(RowUpdaterTest, DifferencesKeepTheAnchorsOfTheRangesThatHaveSome) {
  v1::Optimizer optimizer;
  optimizer.mutable_adam();
  optimizer.set_anchor(2);
  v1::Override& rule = *optimizer.add_override();
  rule.set_match("table/" + kTwoRanges[0].name);
  rule.set_anchor(0);
  const RowUpdater add =
      *RowUpdater::ForDifferences(DifferenceRule::kAdd, optimizer, {"table", kTwoRanges});
  ASSERT_EQ(add.slot_columns().size(), 1u);
  EXPECT_EQ(add.slot_columns()[0].name, kTwoRanges[1].name + "/anchor");
  EXPECT_EQ(add.slot_floats(), kTwoRanges[1].size);
  TestRow row(add, {1, 1, 1, 1});
  row.slots.assign(row.slots.size(), 9.0f);
  row.Update(add, 0.1, {4, 0, -8, 2}, 0.25f);
  EXPECT_THAT(row.weights, ElementsAre(5, 1, -7, 3));
  EXPECT_THAT(row.slots, Each(9));
}

TEST(RowUpdaterTest, ErrorsNameTableAndRange) {
  EXPECT_EQ(ErrorOf("", {}), "table \"table\": got no columns, want at least one");
  EXPECT_EQ(ErrorOf("", {{"a", 1, {}}, {"b", 0, {}}}),
            "column range \"table/b\": got 0 columns, want at least one");
  EXPECT_THAT(ErrorOf("override { match: '(' }", {{"a", 1, {}}}),
              HasSubstr("optimizer.override[0].match"));
  EXPECT_THAT(ErrorOf("adam { beta1: 1 }", {{"a", 1, {}}}), HasSubstr("optimizer.adam.beta1"));
}

// ---- the same bits as a dense variable

constexpr size_t kColumns = 21, kRows = 40;

class RowBitsTest : public testing::TestWithParam<std::string> {};

TEST_P(RowBitsTest, RowByRowGivesTheBitsOfADenseVariableOfTheSameFloats) {
  const std::string text = GetParam() + " learning_rate: 0.03";
  const auto dense = OptimizerFromText(text);
  const RowUpdater updater = UpdaterFromText(text, {{"w", kColumns, {}}});
  const size_t slots = static_cast<size_t>(dense->num_slots());
  ASSERT_EQ(updater.slot_floats(), slots * kColumns);
  std::vector<float> weights(kRows * kColumns), gradient(weights.size());
  RandomStream(1, "weights").FillNormal(0, weights);
  for (size_t i = 0; i < weights.size(); i += 7) weights[i] = 0;
  std::vector<TestRow> rows;
  for (size_t r = 0; r < kRows; ++r) {
    const auto begin = weights.begin() + static_cast<ptrdiff_t>(r * kColumns);
    rows.emplace_back(updater, std::vector<float>(begin, begin + kColumns));
  }
  TestVariable variable(*dense, weights);
  for (uint64_t step = 0; step < 4; ++step) {
    RandomStream(1, "gradient", step).FillNormal(0, gradient);
    const double factor = 1.0 / static_cast<double>(step + 1);
    variable.Update(*dense, static_cast<float>(0.03 * factor), gradient, 1.0f / 3);
    for (size_t r = 0; r < kRows; ++r) {
      const auto begin = gradient.begin() + static_cast<ptrdiff_t>(r * kColumns);
      rows[r].Update(updater, factor, std::vector<float>(begin, begin + kColumns), 1.0f / 3);
    }
  }
  const auto same = [](const float* a, const float* b) {
    return std::memcmp(a, b, kColumns * sizeof(float)) == 0;
  };
  for (size_t r = 0; r < kRows; ++r) {
    ASSERT_TRUE(same(rows[r].weights.data(), variable.weights().data() + r * kColumns)) << r;
    for (size_t s = 0; s < slots; ++s) {
      ASSERT_TRUE(
          same(rows[r].slots.data() + s * kColumns, variable.slots()[s].data() + r * kColumns))
          << r;
    }
  }
}

std::vector<std::string> ElementwiseRules() {
  std::vector<std::string> texts;
  for (const char* rule :
       {"sgd {}", "momentum {}", "nesterov {}", "adagrad { initial_accumulator: 0.1 }",
        "rmsprop {}", "adam {}", "adamw {}", "ftrl {}"}) {
    for (const char* terms : {"", " clip_value: 0.2 l1: 0.1 l2: 0.01"})
      texts.push_back(std::string(rule) + terms);
  }
  return texts;
}

INSTANTIATE_TEST_SUITE_P(Rules, RowBitsTest, testing::ValuesIn(ElementwiseRules()));

}  // namespace
}  // namespace convoy
