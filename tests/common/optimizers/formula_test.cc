// Every rule but FTRL against values worked out by hand. Where all numbers are short binary
// fractions the comparison is exact.
#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>

#include "common/optimizers/anchored.h"
#include "common/optimizers/difference.h"
#include "tests/common/optimizers/optimizer_fixture.h"

namespace convoy {
namespace {

TEST(SgdTest, TakesTheRateTimesTheMeanGradient) {
  const auto sgd = OptimizerFromText("sgd {}");
  TestVariable w(*sgd, {1});
  w.Update(*sgd, 0.5f, {4}, 0.25f);  // g = 4 / 4 = 1: 1 - 0.5 * 1
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*sgd, 0.5f, {-3});  // 0.5 + 0.5 * 3
  EXPECT_EQ(w.weight(), 2.0f);
}

TEST(SgdTest, IsTheDefault) {
  const auto optimizer = OptimizerFromText("");
  EXPECT_EQ(optimizer->num_slots(), 0);
  TestVariable w(*optimizer, {1});
  w.Update(*optimizer, 0.5f, {1});
  EXPECT_EQ(w.weight(), 0.5f);
}

TEST(MomentumTest, AccumulatesTheVelocity) {
  const auto momentum = OptimizerFromText("momentum { momentum: 0.5 }");
  TestVariable w(*momentum, {1});
  w.Update(*momentum, 0.5f, {1});  // v = 1
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*momentum, 0.5f, {1});  // v = 0.5 + 1 = 1.5: 0.5 - 0.75
  EXPECT_EQ(w.weight(), -0.25f);
  w.Update(*momentum, 0.5f, {0});  // v = 0.75: -0.25 - 0.375
  EXPECT_EQ(w.weight(), -0.625f);
  EXPECT_EQ(w.slot(0), 0.75f);
}

TEST(NesterovTest, LooksAheadAlongTheVelocity) {
  const auto nesterov = OptimizerFromText("nesterov { momentum: 0.5 }");
  TestVariable w(*nesterov, {1});
  w.Update(*nesterov, 0.5f, {1});  // v = 1: 1 - 0.5 * (1 + 0.5 * 1)
  EXPECT_EQ(w.weight(), 0.25f);
  w.Update(*nesterov, 0.5f, {1});  // v = 1.5: 0.25 - 0.5 * (1 + 0.75)
  EXPECT_EQ(w.weight(), -0.625f);
  w.Update(*nesterov, 0.5f, {0});  // v = 0.75: -0.625 - 0.5 * (0 + 0.375)
  EXPECT_EQ(w.weight(), -0.8125f);
}

// epsilon 1e-8 is lost next to 3 and 5 in float32.
TEST(AdagradTest, DividesByTheRootOfTheSumOfSquares) {
  const auto adagrad = OptimizerFromText("adagrad {}");
  TestVariable w(*adagrad, {1});
  w.Update(*adagrad, 0.5f, {3});  // a = 9: 1 - 0.5 * 3 / 3
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*adagrad, 0.625f, {-4});  // a = 9 + 16 = 25: 0.5 + 0.625 * 4 / 5
  EXPECT_EQ(w.weight(), 1.0f);
  EXPECT_EQ(w.slot(0), 25.0f);
}

TEST(AdagradTest, StartsFromTheInitialAccumulatorAndAddsEpsilon) {
  const auto adagrad = OptimizerFromText("adagrad { initial_accumulator: 7 epsilon: 4 }");
  TestVariable w(*adagrad, {1});
  w.Update(*adagrad, 2, {3});  // a = 7 + 9 = 16: 1 - 2 * 3 / (4 + 4)
  EXPECT_EQ(w.weight(), 0.25f);
}

TEST(RmsPropTest, DividesByTheRootOfTheRunningMeanOfSquares) {
  const auto rmsprop = OptimizerFromText("rmsprop { decay: 0.75 }");
  TestVariable w(*rmsprop, {1});
  w.Update(*rmsprop, 0.25f, {2});  // s = 0.25 * 4 = 1: 1 - 0.25 * 2 / 1
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*rmsprop, 0.25f, {1});  // s = 0.75 + 0.25 = 1: 0.5 - 0.25 * 1 / 1
  EXPECT_EQ(w.weight(), 0.25f);
  w.Update(*rmsprop, 1, {0});  // s = 0.75, nothing to subtract
  EXPECT_EQ(w.weight(), 0.25f);
  EXPECT_EQ(w.slot(0), 0.75f);
}

// With a constant gradient g the corrected means are g and g^2 whatever the betas: every step is
// rate * sign(g), for t = 1 as for t = 3.
TEST(AdamTest, ConstantGradientMovesByTheRateFromTheFirstStepOn) {
  const auto adam = OptimizerFromText("adam {}");
  TestVariable w(*adam, {1});
  for (int t = 1; t <= 3; ++t) {
    w.Update(*adam, 0.125f, {3});
    EXPECT_NEAR(w.weight(), 1 - 0.125 * t, 1e-6) << t;
  }
}

// beta1 = 0.5, beta2 = 0.75, gradients 2 and 0, rate 1:
// t = 1: m = 1, v = 1; corrected m / 0.5 = 2, v / 0.25 = 4: step 2 / 2 = 1
// t = 2: m = 0.5, v = 0.75; m / 0.75 = 2/3, v / (1 - 0.5625 = 0.4375) = 12/7:
//        step (2/3) / sqrt(12/7) = 0.509175
TEST(AdamTest, CorrectsBothMeansForTheirStartAtZero) {
  const auto adam = OptimizerFromText("adam { beta1: 0.5 beta2: 0.75 }");
  TestVariable w(*adam, {1});
  w.Update(*adam, 1, {2});
  EXPECT_NEAR(w.weight(), 0, 1e-6);
  EXPECT_EQ(w.slot(0), 1.0f);
  EXPECT_EQ(w.slot(1), 1.0f);
  w.Update(*adam, 1, {0});
  EXPECT_NEAR(w.weight(), -2.0 / 3 / std::sqrt(12.0 / 7), 1e-6);
}

// One step with g = 3: corrected m = 3, sqrt of corrected v = 3; epsilon 3 halves the step.
TEST(AdamTest, EpsilonIsAddedToTheCorrectedRoot) {
  const auto adam = OptimizerFromText("adam { epsilon: 3 }");
  TestVariable w(*adam, {1});
  w.Update(*adam, 0.5f, {3});
  EXPECT_NEAR(w.weight(), 1 - 0.5 * 3 / (3 + 3), 1e-6);
}

// Derived as for Adam: each step subtracts rate and rate * decay * (w before the step):
// 2 - 0.125 - 0.125 * 0.5 * 2 = 1.75; 1.75 - 0.125 - 0.125 * 0.5 * 1.75 = 1.515625
TEST(AdamWTest, DecaysTheOldWeightOutsideTheAdaptiveStep) {
  const auto adamw = OptimizerFromText("adamw { weight_decay: 0.5 }");
  TestVariable w(*adamw, {2});
  w.Update(*adamw, 0.125f, {3});
  EXPECT_NEAR(w.weight(), 1.75, 1e-6);
  w.Update(*adamw, 0.125f, {3});
  EXPECT_NEAR(w.weight(), 1.515625, 1e-6);
}

TEST(AdamWTest, WithoutDecayItIsAdam) {
  const auto adam = OptimizerFromText("adam {}");
  const auto adamw = OptimizerFromText("adamw { weight_decay: 0 }");
  TestVariable a(*adam, {0.7f}), b(*adamw, {0.7f});
  for (const float g : {0.3f, -1.1f, 0.0f}) {
    a.Update(*adam, 0.1f, {g});
    b.Update(*adamw, 0.1f, {g});
  }
  EXPECT_EQ(a, b);
}

TEST(GradientTermsTest, ClippingComesAfterTheMeanAndBeforeThePenalties) {
  // g = 8 / 4 = 2, clipped to 1, + 0.5 * 2 (l2) + 0.25 (l1) = 2.25: 2 - 2.25
  const auto sgd = OptimizerFromText("sgd {} clip_value: 1 l1: 0.25 l2: 0.5");
  TestVariable w(*sgd, {2});
  w.Update(*sgd, 1, {8}, 0.25f);
  EXPECT_EQ(w.weight(), -0.25f);
  // g = -8 clipped to -1, - 0.125 (l2) - 0.25 (l1) = -1.375: -0.25 + 1.375
  w.Update(*sgd, 1, {-8});
  EXPECT_EQ(w.weight(), 1.125f);
}

TEST(GradientTermsTest, L1LeavesAZeroWeightAlone) {
  const auto sgd = OptimizerFromText("sgd {} l1: 0.25");
  TestVariable w(*sgd, {0});
  w.Update(*sgd, 1, {0});
  EXPECT_EQ(w.weight(), 0.0f);
}

TEST(GradientTermsTest, ClippingAloneCutsBothSidesAndKeepsWhatIsInside) {
  const auto sgd = OptimizerFromText("sgd {} clip_value: 1");
  for (const auto& [g, want] : {std::pair{5.f, -1.f}, {-5.f, 1.f}, {0.5f, -0.5f}}) {
    TestVariable w(*sgd, {0});
    w.Update(*sgd, 1, {g});
    EXPECT_EQ(w.weight(), want);
  }
}

// A NaN must reach the weights, where it is seen, rather than turn into the clip value. 20
// elements: vector body and rest.
TEST(GradientTermsTest, NaNPassesThroughClippingAndEveryRule) {
  for (const char* rule : {"sgd {}", "momentum {}", "nesterov {}", "adagrad {}", "rmsprop {}",
                           "adam {}", "adamw {}", "ftrl {}"}) {
    const auto optimizer = OptimizerFromText(std::string(rule) + " clip_value: 1 l1: 0.1");
    std::vector<float> weights(20, 1.0f), gradient(20, std::numeric_limits<float>::quiet_NaN());
    std::vector<float> s0(20), s1(20);
    float* const slots[] = {s0.data(), s1.data()};
    optimizer->Apply({0.1f, 1, 1}, {gradient.data(), weights.data(), weights.data(), slots, 20});
    for (const float w : weights) EXPECT_TRUE(std::isnan(w)) << rule;
  }
}

TEST(FormulaTest, DifferencesAreAveragedOrAdded) {
  // Two slices of 3 and 1 examples moved the weight 2 by 1 and by -3: (3 * 1 + 1 * -3) / 4 = 0.
  const auto average = MakeDifference(DifferenceRule::kAverage, {});
  TestVariable averaged(*average, {2});
  averaged.Update(*average, 0.5f, {3 * 1 + 1 * -3}, 0.25f);
  EXPECT_EQ(averaged.weight(), 2);
  averaged.Update(*average, 0.5f, {8}, 0.25f);
  EXPECT_EQ(averaged.weight(), 4);
  const auto add = MakeDifference(DifferenceRule::kAdd, {});
  TestVariable added(*add, {2});
  added.Update(*add, 0.5f, {8}, 0.25f);
  EXPECT_EQ(added.weight(), 10);
}

TEST(FormulaTest, DifferencesAreAddedWithoutAnAnchorWhichIsOnlyKept) {
  OptimizerSettings settings;
  settings.anchor = 5;
  const auto add = MakeDifference(DifferenceRule::kAdd, settings);
  EXPECT_THAT(add->slot_names(), ::testing::ElementsAre("anchor"));
  EXPECT_EQ(std::bit_cast<uint32_t>(add->initial_slot_value(0)),
            std::bit_cast<uint32_t>(kNotAnchored));
  std::vector<float> weights = {2, 3}, gradient = {8, -1}, anchors = {7, kNotAnchored};
  float* const slots[] = {anchors.data()};
  add->Apply({0.5f, 1, 0.25f}, {gradient.data(), weights.data(), weights.data(), slots, 2});
  EXPECT_THAT(weights, ::testing::ElementsAre(10, 2));
  EXPECT_THAT(anchors, ::testing::ElementsAre(7, 0));
}

}  // namespace
}  // namespace convoy
