#include "worker/layers/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/worker/models/finite_differences.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct LossResult {
  double loss = 0;
  std::vector<float> predictions;
  std::vector<float> gradient;
};

LossResult RunOnce(const Loss& loss, const std::vector<float>& scores,
                   const std::vector<float>& labels, const std::vector<float>& weights = {}) {
  LossResult result{0, std::vector<float>(scores.size()), std::vector<float>(scores.size(), kNan)};
  loss.Predict(scores, result.predictions);
  const auto value = loss.Compute(scores, result.predictions, labels, weights, result.gradient);
  EXPECT_TRUE(value.ok()) << value.status();
  result.loss = value.value_or(kNan);
  return result;
}

void ExpectLossGradient(const Loss& loss, std::vector<float> scores,
                        const std::vector<float>& labels, const std::vector<float>& weights = {}) {
  const LossResult result = RunOnce(loss, scores, labels, weights);
  testing::ExpectGradient([&] { return RunOnce(loss, scores, labels, weights).loss; }, scores,
                          result.gradient);
}

std::string Refusal(const Loss& loss, float label) {
  float mapped = 0;
  const absl::Status status = loss.CheckLabel(label, &mapped);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(SoftmaxCrossEntropyTest, ValuesAreThoseOfTheDefinition) {
  const LossResult result = RunOnce(SoftmaxCrossEntropy(3), {0, 1, 2, 1, 1, 1}, {2, 0});
  const double sum = 1 + std::exp(1.0) + std::exp(2.0);
  // log of a sum and an exponential in double; only the predictions are rounded to float32.
  EXPECT_NEAR(result.loss, std::log(sum) - 2 + std::log(3.0), 1e-12);
  EXPECT_NEAR(result.predictions[1], std::exp(1.0) / sum, 1e-7);
  EXPECT_NEAR(result.predictions[5], 1.0 / 3, 1e-7);
  EXPECT_NEAR(result.gradient[2], std::exp(2.0) / sum - 1, 1e-7);
}

TEST(SoftmaxCrossEntropyTest, GradientMatchesDifferences) {
  ExpectLossGradient(SoftmaxCrossEntropy(3), {0.5f, -1, 2, 0.1f, 0.2f, -0.3f}, {2, 0});
}

TEST(SoftmaxCrossEntropyTest, LargeScoresDoNotOverflow) {
  const LossResult result = RunOnce(SoftmaxCrossEntropy(2), {10000, -10000, 10000, -10000}, {0, 1});
  EXPECT_EQ(result.loss, 20000);
  EXPECT_EQ(result.predictions, (std::vector<float>{1, 0, 1, 0}));
}

TEST(SoftmaxCrossEntropyTest, LabelOutOfRangeNamesWhatIsAllowed) {
  const SoftmaxCrossEntropy loss(10);
  for (const float label : {10.0f, -1.0f, 2.5f, kNan, 3e38f}) {
    EXPECT_THAT(Refusal(loss, label), HasSubstr("an integer from 0 to 9"));
  }
  EXPECT_THAT(Refusal(loss, 12), HasSubstr("got 12"));
  float mapped = -1;
  EXPECT_TRUE(loss.CheckLabel(9, &mapped).ok());
  EXPECT_EQ(mapped, 9);
}

TEST(SigmoidCrossEntropyTest, ValuesAreThoseOfTheDefinition) {
  const LossResult result = RunOnce(SigmoidCrossEntropy(), {2, -1}, {1, 1});
  EXPECT_NEAR(result.loss, std::log(1 + std::exp(-2.0)) + std::log(1 + std::exp(1.0)), 1e-12);
  EXPECT_NEAR(result.predictions[0], 1 / (1 + std::exp(-2.0)), 1e-7);
  EXPECT_NEAR(result.gradient[1], 1 / (1 + std::exp(1.0)) - 1, 1e-7);
}

TEST(SigmoidCrossEntropyTest, GradientMatchesDifferences) {
  ExpectLossGradient(SigmoidCrossEntropy(), {0.5f, -1, 2, -0.3f}, {1, 0, 0, 1});
}

TEST(SigmoidCrossEntropyTest, LargeScoresDoNotOverflow) {
  EXPECT_EQ(RunOnce(SigmoidCrossEntropy(), {10000, -10000}, {0, 0}).loss, 10000);
}

TEST(SigmoidCrossEntropyTest, MinusOneAndZeroAreTheNegativeClass) {
  const SigmoidCrossEntropy loss;
  for (const auto& [label, want] : {std::pair{-1.0f, 0.0f}, {0.0f, 0.0f}, {1.0f, 1.0f}}) {
    float mapped = 7;
    EXPECT_TRUE(loss.CheckLabel(label, &mapped).ok());
    EXPECT_EQ(mapped, want);
  }
  EXPECT_THAT(Refusal(loss, 2), HasSubstr("got 2, want 0 or 1 (or -1 or +1)"));
}

TEST(SquaredErrorTest, LossHasNoFactorOneHalf) {
  const LossResult result = RunOnce(SquaredError(), {3, 5}, {1, 6});
  EXPECT_EQ(result.loss, 5);
  EXPECT_EQ(result.gradient, (std::vector<float>{4, -2}));
  EXPECT_EQ(result.predictions, (std::vector<float>{3, 5}));
}

TEST(SquaredErrorTest, LabelMustBeFinite) {
  EXPECT_THAT(Refusal(SquaredError(), kNan), HasSubstr("want a finite number"));
}

TEST(LossTest, LabelThatWasNotCheckedIsRefusedAndNeverAnIndex) {
  const std::vector<float> scores(6), predictions(6);
  std::vector<float> gradient(6);
  for (const float label : {3.0f, -1.0f, kNan, 1e30f}) {
    const std::vector<float> labels = {0, label};
    const auto loss = SoftmaxCrossEntropy(3).Compute(scores, predictions, labels, {}, gradient);
    EXPECT_EQ(loss.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(loss.status().message()), HasSubstr("example 1"));
  }
  const std::vector<float> minus_one = {-1};
  EXPECT_FALSE(SigmoidCrossEntropy().Compute(scores, predictions, minus_one, {}, gradient).ok());
}

TEST(LossTest, NotANumberInTheScoresReachesTheLoss) {
  EXPECT_TRUE(std::isnan(RunOnce(SoftmaxCrossEntropy(2), {1, kNan}, {0}).loss));
  EXPECT_TRUE(std::isnan(RunOnce(SigmoidCrossEntropy(), {kNan}, {0}).loss));
  EXPECT_TRUE(std::isnan(RunOnce(SquaredError(), {kNan}, {0}).loss));
}

TEST(WeightedLossTest, TheWeightMultipliesLossAndGradientOfItsExample) {
  // (3 - 1)^2 = 4 and (5 - 4)^2 = 1, with the weights 0.5 and 3; gradients 2 w (score - label).
  const LossResult squared = RunOnce(SquaredError(), {3, 5}, {1, 4}, {0.5f, 3});
  EXPECT_EQ(squared.loss, 0.5 * 4 + 3 * 1);
  EXPECT_EQ(squared.gradient, (std::vector<float>{2, 6}));
  // At score 0 both classes have probability 1/2: loss log 2, gradient +-1/2.
  const LossResult sigmoid = RunOnce(SigmoidCrossEntropy(), {0, 0}, {0, 1}, {2, 5});
  EXPECT_NEAR(sigmoid.loss, 7 * std::log(2.0), 1e-12);
  EXPECT_EQ(sigmoid.gradient, (std::vector<float>{1, -2.5f}));
  const LossResult softmax = RunOnce(SoftmaxCrossEntropy(2), {0, 0, 0, 0}, {0, 1}, {2, 5});
  EXPECT_NEAR(softmax.loss, 7 * std::log(2.0), 1e-12);
  EXPECT_EQ(softmax.gradient, (std::vector<float>{-1, 1, 2.5f, -2.5f}));
}

TEST(WeightedLossTest, GradientsMatchDifferences) {
  const std::vector<float> weights = {0.25f, 3};
  ExpectLossGradient(SoftmaxCrossEntropy(3), {0.5f, -1, 2, 0.1f, 0.2f, -0.3f}, {2, 0}, weights);
  ExpectLossGradient(SigmoidCrossEntropy(), {0.5f, -1}, {1, 0}, weights);
  ExpectLossGradient(SquaredError(), {0.5f, -1}, {1, 0}, weights);
}

}  // namespace
}  // namespace convoy
