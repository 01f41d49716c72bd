// Row-wise Adagrad against values worked out by hand, and against its formula in double precision.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/math/random.h"
#include "tests/common/optimizers/row_fixture.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// epsilon 1e-8 is lost next to 5 in float32.
TEST(RowwiseAdagradTest, DividesAllColumnsByTheRootOfTheSumOfMeanSquares) {
  const RowUpdater updater =
      UpdaterFromText("rowwise_adagrad {} learning_rate: 0.5", {{"w", 2, {}}});
  EXPECT_EQ(updater.slot_floats(), 1u);
  TestRow row(updater, {1, 1});
  row.Update(updater, 1, {5, 5});  // a = (25 + 25) / 2 = 25: 1 - 0.5 * 5 / 5
  EXPECT_THAT(row.weights, ElementsAre(0.5f, 0.5f));
  EXPECT_THAT(row.slots, ElementsAre(25));
  row.Update(updater, 1, {0, std::sqrt(288.0f)});  // a = 25 + 288 / 2 = 169, root 13
  EXPECT_FLOAT_EQ(row.slots[0], 169);
  EXPECT_EQ(row.weights[0], 0.5f);
  EXPECT_FLOAT_EQ(row.weights[1], 0.5f - 0.5f * std::sqrt(288.0f) / 13);
}

TEST(RowwiseAdagradTest, StartsFromTheInitialAccumulatorAndAddsEpsilon) {
  const RowUpdater updater = UpdaterFromText(
      "rowwise_adagrad { initial_accumulator: 7 epsilon: 4 } learning_rate: 2", {{"w", 1, {}}});
  TestRow row(updater, {1});
  EXPECT_THAT(row.slots, ElementsAre(7));
  row.Update(updater, 1, {3});  // a = 7 + 9 = 16: 1 - 2 * 3 / (4 + 4)
  EXPECT_THAT(row.weights, ElementsAre(0.25f));
}

TEST(RowwiseAdagradTest, OneColumnIsAdagrad) {
  const RowUpdater rowwise =
      UpdaterFromText("rowwise_adagrad {} l2: 0.1 clip_value: 1", {{"w", 1, {}}});
  const RowUpdater adagrad = UpdaterFromText("adagrad {} l2: 0.1 clip_value: 1", {{"w", 1, {}}});
  TestRow a(rowwise, {0.7f}), b(adagrad, {0.7f});
  for (const float g : {0.3f, -1.1f, 0.0f, 7.0f}) {
    a.Update(rowwise, 1, {g}, 0.5f);
    b.Update(adagrad, 1, {g}, 0.5f);
  }
  EXPECT_EQ(a, b);
}

TEST(RowwiseAdagradTest, EachRangeHasAnAccumulatorOfItsOwn) {
  const RowUpdater updater = UpdaterFromText("rowwise_adagrad {}", {{"a", 1, {}}, {"b", 2, {}}});
  TestRow row(updater, {0, 0, 0});
  row.Update(updater, 1, {3, 2, 4});
  EXPECT_THAT(row.slots, ElementsAre(9, (4 + 16) / 2));
}

// float32 against double: rounding of a few units in 2^-24 a step, 20 steps.
TEST(RowwiseAdagradTest, FollowsTheFormulaWithClippingAndPenaltiesForAnyNumberOfColumns) {
  const double rate = 0.1, l1 = 0.01, l2 = 0.05, clip = 1.5, epsilon = 1e-3, initial = 0.25;
  const std::string text =
      "rowwise_adagrad { initial_accumulator: 0.25 epsilon: 1e-3 } learning_rate: 0.1 l1: 0.01 l2: "
      "0.05 "
      "clip_value: 1.5";
  for (const uint32_t columns : {1u, 3u, 7u, 8u, 9u, 16u, 31u, 64u}) {
    const RowUpdater updater = UpdaterFromText(text, {{"w", columns, {}}});
    std::vector<float> start(columns), gradient(columns);
    RandomStream(1, "start").FillNormal(0, start);
    TestRow row(updater, start);
    std::vector<double> w(start.begin(), start.end());
    double a = initial;
    for (uint64_t step = 0; step < 20; ++step) {
      RandomStream(1, "gradient", step).FillNormal(0, gradient);
      row.Update(updater, 0.5, gradient, 2);
      std::vector<double> g(columns);
      double squares = 0;
      for (size_t i = 0; i < columns; ++i) {
        const double sign = w[i] > 0 ? 1 : w[i] < 0 ? -1 : 0;
        g[i] = std::clamp(2.0 * gradient[i], -clip, clip) + l2 * w[i] + l1 * sign;
        squares += g[i] * g[i];
      }
      a += squares / columns;
      for (size_t i = 0; i < columns; ++i) w[i] -= 0.5 * rate * g[i] / (std::sqrt(a) + epsilon);
    }
    EXPECT_NEAR(row.slots[0], a, 1e-5 * a) << columns;
    for (size_t i = 0; i < columns; ++i) EXPECT_NEAR(row.weights[i], w[i], 1e-5) << columns;
  }
}

TEST(RowwiseAdagradTest, GradientsAtAnyAddressGiveTheSameBits) {
  const RowUpdater updater = UpdaterFromText("rowwise_adagrad {}", {{"w", 11, {}}});
  std::vector<float> gradient(11);
  RandomStream(1, "gradient").FillNormal(0, gradient);
  TestRow aligned(updater, std::vector<float>(11, 1.0f));
  aligned.Update(updater, 1, gradient);
  for (size_t shift = 1; shift < 8; ++shift) {
    std::vector<char> bytes(11 * sizeof(float) + 8);
    std::memcpy(bytes.data() + shift, gradient.data(), 11 * sizeof(float));
    TestRow row(updater, std::vector<float>(11, 1.0f));
    row.updates = 1;
    updater.Apply({1, 1, 1}, reinterpret_cast<const float*>(bytes.data() + shift),
                  row.weights.data(), row.slots.data());
    EXPECT_EQ(row, aligned) << shift;
  }
}

TEST(RowwiseAdagradTest, ANaNReachesTheWeights) {
  const RowUpdater updater = UpdaterFromText("rowwise_adagrad {} clip_value: 1", {{"w", 9, {}}});
  TestRow row(updater, std::vector<float>(9, 1.0f));
  std::vector<float> gradient(9, 0.0f);
  gradient[8] = std::numeric_limits<float>::quiet_NaN();
  row.Update(updater, 1, gradient);
  for (const float w : row.weights) EXPECT_TRUE(std::isnan(w));
}

TEST(RowwiseAdagradTest, ParametersOutOfRangeAreRefused) {
  for (const auto& [text, part] :
       {std::pair{"rowwise_adagrad { epsilon: 0 }",
                  "optimizer.rowwise_adagrad.epsilon must be > 0"},
        {"rowwise_adagrad { initial_accumulator: -1 }",
         "optimizer.rowwise_adagrad.initial_accumulator must be >= 0"},
        {"rowwise_adagrad {} learning_rate: -1", "optimizer.learning_rate must be >= 0"},
        {"rowwise_adagrad {} override { match: '.*' weight_decay: 1 }",
         "use adamw, or l2 instead"}}) {
    const auto updater = TryUpdater(text, {{"w", 2, {}}});
    EXPECT_EQ(updater.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(updater.status().message()), HasSubstr(part));
  }
}

}  // namespace
}  // namespace convoy
