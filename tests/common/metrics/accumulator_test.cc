#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/metrics/metrics.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

v1::MetricSums SumsOf(int64_t classes, int64_t outputs, const std::vector<float>& predictions,
                      const std::vector<float>& labels) {
  MetricAccumulator accumulator(classes, true);
  accumulator.Add(0, predictions, outputs, labels);
  v1::MetricSums sums = accumulator.Take();
  EXPECT_TRUE(ValidateSums(sums).ok()) << ValidateSums(sums);
  return sums;
}

TEST(MetricAccumulatorTest, RegressionSumsSquaredErrors) {
  const auto sums = SumsOf(0, 1, {1, 2, 3}, {1, 4, 2.5f});  // 0 + 4 + 0.25
  EXPECT_EQ(sums.squared_error(), 4.25);
  EXPECT_EQ(sums.examples(), 3u);
  EXPECT_THAT(sums.confusion(), IsEmpty());
  EXPECT_THAT(sums.scores(), IsEmpty());
}

TEST(MetricAccumulatorTest, OneOutputPredictsClassOneFromAHalfOn) {
  // Labels 0 0 1 1 1, predictions 0 1 1 1 0: [true * 2 + predicted].
  const auto sums = SumsOf(2, 1, {0.4f, 0.5f, 0.5f, 0.9f, 0.1f}, {0, 0, 1, 1, 1});
  EXPECT_THAT(sums.confusion(), ElementsAre(1, 1, 1, 2));
  EXPECT_EQ(sums.classes(), 2u);
}

TEST(MetricAccumulatorTest, LabelsOfMinusOneAreClassZero) {
  EXPECT_THAT(SumsOf(2, 1, {0.4f, 0.6f}, {-1, 1}).confusion(), ElementsAre(1, 0, 0, 1));
}

TEST(MetricAccumulatorTest, SeveralOutputsPredictTheLargestAndTheFirstOfEquals) {
  const auto sums = SumsOf(3, 3,
                           {0.1f, 0.2f, 0.7f,   // 2
                            0.4f, 0.4f, 0.2f,   // 0, first of two
                            0.2f, 0.4f, 0.4f},  // 1, first of two
                           {2, 1, 1});
  EXPECT_THAT(sums.confusion(), ElementsAre(0, 0, 0, 1, 1, 0, 0, 0, 1));
}

TEST(MetricAccumulatorTest, NaNNeverWins) {
  EXPECT_THAT(SumsOf(2, 2, {kNaN, -1, 3, kNaN}, {1, 0}).confusion(), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(SumsOf(2, 1, {kNaN}, {1}).confusion(), ElementsAre(0, 0, 1, 0));
}

TEST(MetricAccumulatorTest, LabelsThatAreNoClassCountAsNotRecognised) {
  const auto sums = SumsOf(2, 2, std::vector<float>(12, 0.5f), {-1, 2, 0.5f, kNaN, 1e30f, 0});
  EXPECT_EQ(sums.examples(), 6u);
  EXPECT_THAT(sums.confusion(), ElementsAre(1, 0, 0, 0));
}

TEST(MetricAccumulatorTest, ScoresAreSortedAndEqualOnesCombined) {
  const auto sums = SumsOf(2, 1, {0.5f, 0.25f, 0.5f, 0.75f, 0.5f}, {1, 0, 0, 1, 1});
  EXPECT_THAT(sums.scores(), ElementsAre(0.25f, 0.5f, 0.75f));
  EXPECT_THAT(sums.positives(), ElementsAre(0, 2, 1));
  EXPECT_THAT(sums.negatives(), ElementsAre(1, 1, 0));
}

TEST(MetricAccumulatorTest, ScoreOfTwoOutputsIsThatOfClassOne) {
  const auto sums = SumsOf(2, 2, {0.75f, 0.25f, 0.125f, 0.875f}, {0, 1});
  EXPECT_THAT(sums.scores(), ElementsAre(0.25f, 0.875f));
}

TEST(MetricAccumulatorTest, NaNScoresAreOneRunBelowAllOthers) {
  std::vector<float> scores, labels;
  for (int i = 0; i < 300; ++i) {  // enough for std::sort to go wrong with a plain <
    scores.push_back(i % 3 == 0 ? kNaN : static_cast<float>(i % 7) - 3);
    labels.push_back(static_cast<float>(i % 2));
  }
  const auto sums = SumsOf(2, 1, scores, labels);
  ASSERT_EQ(sums.scores_size(), 8);  // NaN and -3 .. 3
  EXPECT_TRUE(std::isnan(sums.scores(0)));
  EXPECT_EQ(sums.positives(0) + sums.negatives(0), 100u);
  EXPECT_EQ(sums.scores(1), -3.0f);
}

TEST(MetricAccumulatorTest, ZerosOfBothSignsAreOneScore) {
  const auto sums = SumsOf(2, 1, {-0.0f, 0.0f}, {1, 0});
  ASSERT_EQ(sums.scores_size(), 1);
  EXPECT_FALSE(std::signbit(sums.scores(0)));
}

TEST(MetricAccumulatorTest, ScoresAreKeptOnRequestAndForTwoClassesOnly) {
  MetricAccumulator unwanted(2, false), three(3, true);
  unwanted.Add(0, std::vector<float>{0.5f}, 1, std::vector<float>{1});
  three.Add(0, std::vector<float>{1, 2, 3}, 3, std::vector<float>{1});
  EXPECT_THAT(unwanted.Take().scores(), IsEmpty());
  EXPECT_THAT(three.Take().scores(), IsEmpty());
}

TEST(MetricAccumulatorTest, TakeClears) {
  MetricAccumulator accumulator(2, true);
  accumulator.Add(1.5, std::vector<float>{0.5f}, 1, std::vector<float>{1});
  accumulator.Add(2, std::vector<float>{0.5f}, 1, std::vector<float>{1});
  const auto first = accumulator.Take();
  EXPECT_EQ(first.loss(), 3.5);
  EXPECT_EQ(first.examples(), 2u);
  const auto second = accumulator.Take();
  EXPECT_EQ(second.loss(), 0);
  EXPECT_EQ(second.examples(), 0u);
  EXPECT_THAT(second.confusion(), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(second.scores(), IsEmpty());
  EXPECT_TRUE(ValidateSums(second).ok());
}

TEST(MetricAccumulatorTest, TooManyScoresGoIntoBins) {
  MetricAccumulator accumulator(2, true, 3);
  // Bins: floor(0.25 * 65536) = 16384; outside [0, 1] and NaN at the ends.
  const std::vector<float> scores = {0.25f, 0.25f, -7, kNaN, 1, std::numeric_limits<float>::max()};
  accumulator.Add(0, scores, 1, std::vector<float>{1, 0, 0, 0, 1, 1});
  const auto sums = accumulator.Take();
  EXPECT_TRUE(ValidateSums(sums).ok()) << ValidateSums(sums);
  EXPECT_THAT(sums.scores(), IsEmpty());
  ASSERT_EQ(sums.positive_bins_size(), kAucBins);
  EXPECT_EQ(sums.positive_bins(16384), 1u);
  EXPECT_EQ(sums.negative_bins(16384), 1u);
  EXPECT_EQ(sums.negative_bins(0), 2u);
  EXPECT_EQ(sums.positive_bins(kAucBins - 1), 2u);
}

}  // namespace
}  // namespace convoy
