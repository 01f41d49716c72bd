// optimizer.anchor in steps that a worker takes itself.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/math/random.h"
#include "common/optimizers/anchored.h"
#include "common/optimizers/difference.h"
#include "common/optimizers/optimizer.h"
#include "tests/worker/one_weight.h"
#include "worker/local_steps.h"

namespace convoy {
namespace {

// With a gradient of `gradient` summed over 4 examples: what a server has after local_sgd:1 of one
// slice, and after sync.
struct AnchoredStep {
  float weight, anchor, gradient;

  static OptimizerSettings Settings() {
    OptimizerSettings settings;
    settings.learning_rate = 0.25;
    settings.clip_value = 0.5;
    settings.anchor = 0.75;
    return settings;
  }
  float OfSync() const {
    const auto rule = *MakeOptimizer(Settings());
    float value = weight, held = anchor;
    float* const slots[] = {&held};
    rule->Apply({0.25f, 1, 0.25f}, {&gradient, &value, &value, slots, 1});
    return value;
  }
  float OfLocalSgd(LocalSteps& steps) const {
    SumModel model;
    Pulled pulled;
    pulled.value = weight;
    steps.anchors()[0][0] = anchor;
    EXPECT_TRUE(steps.Begin(pulled).ok());
    EXPECT_TRUE(steps.Step(model, BatchOf({gradient, 0, 0, 0}), 0).ok());
    Sent sent;
    EXPECT_TRUE(steps.End(pulled, /*factor=*/4, {}, sent).ok());
    const auto average = MakeDifference(DifferenceRule::kAverage, Settings());
    float value = weight, held = anchor;
    float* const slots[] = {&held};
    average->Apply({0.25f, 1, 0.25f}, {&sent.value, &value, &value, slots, 1});
    EXPECT_EQ(std::bit_cast<uint32_t>(held), std::bit_cast<uint32_t>(anchor));
    return value;
  }
};

std::unique_ptr<LocalSteps> AnchoredSgd() {
  LocalSteps::Options options;
  options.optimizer.optimizer.mutable_sgd();
  options.optimizer.optimizer.set_learning_rate(0.25);
  options.optimizer.optimizer.set_clip_value(0.5);
  options.optimizer.optimizer.set_anchor(0.75);
  return *LocalSteps::Create(options, SumModel().variables());
}

// Weights stay within a factor of 2, where their difference is exact (Sterbenz), and so is its
// product with 4 examples: w + (w' - w) is w'. Elsewhere it is rounded.
TEST(AnchoredStepsTest, OneLocalStepOfOneSliceHasTheBitsOfSync) {
  const std::unique_ptr<LocalSteps> steps = AnchoredSgd();
  const RandomStream random(5, "steps");
  for (uint64_t i = 0; i < 1000; ++i) {
    // Gradients are cut to 0.5 before anchors, at most 1 away, have their part.
    const AnchoredStep step = {1 + random.Uniform(4 * i), 1 + random.Uniform(4 * i + 1),
                               8 * random.Uniform(4 * i + 2) - 4};
    ASSERT_EQ(step.OfLocalSgd(*steps), step.OfSync()) << i;
    const AnchoredStep free = {step.weight, kNotAnchored, step.gradient};
    ASSERT_EQ(free.OfLocalSgd(*steps), free.OfSync()) << i;
    ASSERT_NE(free.OfSync(), step.OfSync()) << i;
  }
}

TEST(AnchoredStepsTest, AnchorsStayFromRoundToRoundAndStepToStep) {
  LocalSteps::Options options;
  options.optimizer.optimizer.mutable_momentum()->set_momentum(0.5);
  options.optimizer.optimizer.set_learning_rate(1);
  options.optimizer.optimizer.set_anchor(0.5);
  SumModel model;
  Pulled pulled;  // 10
  const auto steps = *LocalSteps::Create(options, model.variables());
  ASSERT_EQ(steps->anchors().size(), 1u);
  steps->anchors()[0][0] = 2;
  for (int round = 0; round < 2; ++round) {
    model.seen_weights.clear();
    ASSERT_TRUE(steps->Begin(pulled).ok());
    // v = 0 + 0.5 * (10 - 2) = 4, w = 6; v = 2 + 0.5 * (6 - 2) = 4, w = 2; v = 2 + 0, w = 0.
    for (int step = 0; step < 3; ++step) ASSERT_TRUE(steps->Step(model, BatchOf({0}), 0).ok());
    EXPECT_EQ(model.seen_weights, (std::vector<float>{10, 6, 2}));
    Sent sent;
    ASSERT_TRUE(steps->End(pulled, 1, {}, sent).ok());
    EXPECT_EQ(sent.value, -10);
  }
}

TEST(AnchoredStepsTest, TheNormIsClippedBeforeAnchorsHaveTheirPart) {
  LocalSteps::Options options;
  options.optimizer.optimizer.set_learning_rate(1);
  options.optimizer.optimizer.set_anchor(0.5);
  options.clip_norm = 0.5;
  SumModel model;
  Pulled pulled;  // 10
  const auto steps = *LocalSteps::Create(options, model.variables());
  steps->anchors()[0][0] = 4;
  ASSERT_TRUE(steps->Begin(pulled).ok());
  ASSERT_TRUE(steps->Step(model, BatchOf({30, 50}), 0).ok());
  Sent sent;
  ASSERT_TRUE(steps->End(pulled, 1, {}, sent).ok());
  EXPECT_FLOAT_EQ(sent.value, -0.5f - 0.5f * 6);
}

TEST(AnchoredStepsTest, WhatIsFrozenOrFreeHasNone) {
  for (const bool frozen : {false, true}) {
    LocalSteps::Options options;
    options.optimizer.optimizer.set_anchor(frozen ? 0.5 : 0);
    if (frozen) options.optimizer.optimizer.add_freeze("w");
    const auto steps = *LocalSteps::Create(options, SumModel().variables());
    EXPECT_TRUE(steps->anchors()[0].empty()) << frozen;
  }
}

}  // namespace
}  // namespace convoy
