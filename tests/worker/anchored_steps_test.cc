// optimizer.anchor in steps that a worker takes itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/math/random.h"
#include "common/optimizers/anchored.h"
#include "common/optimizers/difference.h"
#include "common/optimizers/optimizer.h"
#include "worker/local_steps.h"

namespace convoy {
namespace {

// One weight, whose gradient is the sum of the features, whatever it is.
class LinearModel final : public Model {
 public:
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float, float*) const override { return absl::OkStatus(); }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override {
    seen_weights.push_back((*weights.Weights(0))[0]);
    float sum = 0;
    for (int64_t i = 0; i < batch.size; ++i) sum += batch.dense[static_cast<size_t>(i)];
    gradients.Gradient(0)[0] = sum;
    EXPECT_TRUE(gradients.Ready(0, 0, 1).ok());
    return BatchOutput();
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch&, WeightSource&) override {
    return BatchOutput();
  }

  std::vector<float> seen_weights;

 private:
  const std::vector<VariableSpec> variables_ = {{"w", {1}, Initializer::Zeros()}};
};

class OneWeight final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int) override {
    return std::span<const float>(&value, 1);
  }
  float value = 10;
};

class OneDifference final : public GradientSink {
 public:
  std::span<float> Gradient(int) override { return {&value, 1}; }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  float value = 0;
};

Batch ExamplesOf(const std::vector<float>& features) {
  Batch batch;
  batch.size = static_cast<int64_t>(features.size());
  batch.features = 1;
  batch.dense = AlignedBuffer(features.size());
  std::copy(features.begin(), features.end(), batch.dense.data());
  return batch;
}

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
    LinearModel model;
    OneWeight pulled;
    pulled.value = weight;
    steps.anchors()[0][0] = anchor;
    EXPECT_TRUE(steps.Begin(pulled).ok());
    EXPECT_TRUE(steps.Step(model, ExamplesOf({gradient, 0, 0, 0}), 0).ok());
    OneDifference sent;
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
  return *LocalSteps::Create(options, LinearModel().variables());
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
  LinearModel model;
  OneWeight pulled;  // 10
  const auto steps = *LocalSteps::Create(options, model.variables());
  ASSERT_EQ(steps->anchors().size(), 1u);
  steps->anchors()[0][0] = 2;
  for (int round = 0; round < 2; ++round) {
    model.seen_weights.clear();
    ASSERT_TRUE(steps->Begin(pulled).ok());
    // v = 0 + 0.5 * (10 - 2) = 4, w = 6; v = 2 + 0.5 * (6 - 2) = 4, w = 2; v = 2 + 0, w = 0.
    for (int step = 0; step < 3; ++step) ASSERT_TRUE(steps->Step(model, ExamplesOf({0}), 0).ok());
    EXPECT_EQ(model.seen_weights, (std::vector<float>{10, 6, 2}));
    OneDifference sent;
    ASSERT_TRUE(steps->End(pulled, 1, {}, sent).ok());
    EXPECT_EQ(sent.value, -10);
  }
}

TEST(AnchoredStepsTest, TheNormIsClippedBeforeAnchorsHaveTheirPart) {
  LocalSteps::Options options;
  options.optimizer.optimizer.set_learning_rate(1);
  options.optimizer.optimizer.set_anchor(0.5);
  options.clip_norm = 0.5;
  LinearModel model;
  OneWeight pulled;  // 10
  const auto steps = *LocalSteps::Create(options, model.variables());
  steps->anchors()[0][0] = 4;
  ASSERT_TRUE(steps->Begin(pulled).ok());
  ASSERT_TRUE(steps->Step(model, ExamplesOf({30, 50}), 0).ok());
  OneDifference sent;
  ASSERT_TRUE(steps->End(pulled, 1, {}, sent).ok());
  EXPECT_FLOAT_EQ(sent.value, -0.5f - 0.5f * 6);
}

TEST(AnchoredStepsTest, WhatIsFrozenOrFreeHasNone) {
  for (const bool frozen : {false, true}) {
    LocalSteps::Options options;
    options.optimizer.optimizer.set_anchor(frozen ? 0.5 : 0);
    if (frozen) options.optimizer.optimizer.add_freeze("w");
    const auto steps = *LocalSteps::Create(options, LinearModel().variables());
    EXPECT_TRUE(steps->anchors()[0].empty()) << frozen;
  }
}

}  // namespace
}  // namespace convoy
