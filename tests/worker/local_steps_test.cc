#include "worker/local_steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "worker/step_plan.h"

namespace convoy {
namespace {

// One weight w, loss w * x summed over the examples: the gradient is the sum of the features, whatever w is.
class SumModel final : public Model {
 public:
  Task task() const override { return Task::kRegression; }
  int64_t outputs() const override { return 1; }
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override {
    *mapped = label;
    return absl::OkStatus();
  }
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights, GradientSink& gradients) override {
    seen_weights.push_back((*weights.Weights(0))[0]);
    float sum = 0;
    for (int64_t i = 0; i < batch.size; ++i) sum += batch.dense[static_cast<size_t>(i)];
    gradients.Gradient(0)[0] = sum;
    EXPECT_TRUE(gradients.Ready(0, 0, 1).ok());
    return BatchOutput();
  }
  absl::StatusOr<BatchOutput> Evaluate(const Batch&, WeightSource&) override { return BatchOutput(); }

  std::vector<float> seen_weights;

 private:
  const std::vector<VariableSpec> variables_ = {{"w", {1}, Initializer::Zeros()}};
};

class Pulled final : public WeightSource {
 public:
  absl::StatusOr<std::span<const float>> Weights(int) override { return std::span<const float>(&value, 1); }
  float value = 10;
};

class Sent final : public GradientSink {
 public:
  std::span<float> Gradient(int) override { return {&value, 1}; }
  absl::Status Ready(int, int64_t, int64_t) override { return absl::OkStatus(); }
  float value = 0;
};

Batch BatchOf(const std::vector<float>& features) {
  Batch batch;
  batch.size = static_cast<int64_t>(features.size());
  batch.features = 1;
  batch.dense = AlignedBuffer(features.size());
  std::copy(features.begin(), features.end(), batch.dense.data());
  return batch;
}

class LocalStepsTest : public ::testing::Test {
 protected:
  void Make(bool skip = false, double clip_norm = 0) {
    LocalSteps::Options options;
    options.optimizer.optimizer.mutable_momentum()->set_momentum(0.5);
    options.optimizer.optimizer.set_learning_rate(1);
    options.skip_not_finite = skip;
    options.clip_norm = clip_norm;
    steps_ = *LocalSteps::Create(options, model_.variables());
  }
  void Step(const std::vector<float>& features) { ASSERT_TRUE(steps_->Step(model_, BatchOf(features), 0).ok()); }
  float Difference(float factor) {
    Sent sent;
    EXPECT_TRUE(steps_->End(pulled_, factor, {}, sent).ok());
    return sent.value;
  }

  SumModel model_;
  Pulled pulled_;
  std::unique_ptr<LocalSteps> steps_;
};

TEST_F(LocalStepsTest, TheContributionIsHowFarTheStepsCame) {
  Make();
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({1, 3});   // mean 2: v = 2, w = 8
  Step({4});      // v = 0.5 * 2 + 4 = 5, w = 3
  EXPECT_EQ(model_.seen_weights, (std::vector<float>{10, 8}));
  EXPECT_EQ(Difference(1), -7);
  EXPECT_EQ(Difference(3), -21);
}

TEST_F(LocalStepsTest, SlotsStartAnewInEachRound) {
  Make();
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({2});
  pulled_.value = 5;
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({2});   // the same step as in the first round: no momentum is left
  EXPECT_EQ(model_.seen_weights, (std::vector<float>{10, 5}));
  EXPECT_EQ(Difference(1), -2);
}

TEST_F(LocalStepsTest, AGradientThatIsNotFiniteIsNoStepIfTheJobSkipsThem) {
  Make(/*skip=*/true);
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({std::numeric_limits<float>::infinity()});
  Step({2});
  EXPECT_EQ(Difference(1), -2);
  EXPECT_EQ(steps_->TakeSkipped(), 1u);
  EXPECT_EQ(steps_->TakeSkipped(), 0u);
}

TEST_F(LocalStepsTest, ANotFiniteGradientOtherwiseShowsInTheContribution) {
  Make();
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(std::isnan(Difference(1)));
}

TEST_F(LocalStepsTest, TheNormOfEveryStepsMeanGradientIsClipped) {
  Make(/*skip=*/false, /*clip_norm=*/0.5);
  ASSERT_TRUE(steps_->Begin(pulled_).ok());
  Step({30, 50});   // mean 40, cut to 0.5
  EXPECT_FLOAT_EQ(Difference(1), -0.5f);
}

TEST(StepPlanTest, ARoundOfLocalStepsIsThatManyGlobalBatchesAndNeverCrossesAnEpoch) {
  v1::Training training;
  training.set_batch_size(4);
  training.set_slices(2);
  training.set_epochs(3);
  const StepPlan plan(training, {.kind = Mode::Kind::kLocalSgd, .local_steps = 2}, 11);
  EXPECT_EQ(plan.per_epoch(), 2u);   // batches of 4, 4 and 3
  EXPECT_EQ(plan.total(), 6u);
  EXPECT_EQ(plan.SliceBatches(plan.Step(0), 1), (std::vector<Range>{{2, 4}, {6, 8}}));
  EXPECT_EQ(plan.SliceBatches(plan.Step(3), 1), (std::vector<Range>{{9, 11}}));   // floor(3 / 2) = 1 of slice 0
  EXPECT_EQ(plan.SliceExamples(plan.Step(0), 0), 4u);
  EXPECT_EQ(plan.SliceExamples(plan.Step(1), 0), 1u);
}

}  // namespace
}  // namespace convoy
