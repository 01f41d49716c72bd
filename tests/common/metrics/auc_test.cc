#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/math/random.h"
#include "common/metrics/metrics.h"

namespace convoy {
namespace {

using google::protobuf::util::MessageDifferencer;

struct Scored {
  std::vector<float> scores, labels;
};

v1::MetricSums SumsOf(const Scored& data, size_t begin, size_t end,
                      uint64_t exact_examples = kExactAucExamples) {
  MetricAccumulator accumulator(2, true, exact_examples);
  accumulator.Add(0, std::span(data.scores).subspan(begin, end - begin), 1,
                  std::span(data.labels).subspan(begin, end - begin));
  return accumulator.Take();
}

v1::MetricSums SumsOf(const Scored& data, uint64_t exact_examples = kExactAucExamples) {
  return SumsOf(data, 0, data.scores.size(), exact_examples);
}

// The share of (positive, negative) pairs in the right order, ties half.
double BruteForceAuc(const Scored& data) {
  double won = 0, pairs = 0;
  for (size_t i = 0; i < data.scores.size(); ++i) {
    for (size_t j = 0; j < data.scores.size(); ++j) {
      if (data.labels[i] != 1 || data.labels[j] != 0) continue;
      ++pairs;
      won += data.scores[i] > data.scores[j] ? 1 : data.scores[i] == data.scores[j] ? 0.5 : 0;
    }
  }
  return won / pairs;
}

// `levels` distinct scores in [0, 1), positives a little higher.
Scored RandomScores(uint64_t levels, size_t size) {
  const RandomStream random(levels, "auc");
  Scored data;
  for (size_t i = 0; i < size; ++i) {
    const bool positive = random.Below(3 * i, 3) == 0;
    const float level = static_cast<float>(random.Below(3 * i + 1, levels));
    const float shifted = positive && random.Below(3 * i + 2, 2) == 0 ? std::sqrt(level) : level;
    data.scores.push_back(std::floor(shifted) / static_cast<float>(levels));
    data.labels.push_back(positive ? 1.0f : 0.0f);
  }
  return data;
}

// Positives 0.35, 0.8 against negatives 0.1, 0.4: won 1 + 0 + 1 + 1 of 4 (the example in
// scikit-learn's documentation of roc_auc_score).
TEST(AucTest, CountsPairsInTheRightOrder) {
  const Metrics metrics = ComputeMetrics(SumsOf({{0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1}}));
  EXPECT_EQ(metrics.auc, 0.75);
  EXPECT_EQ(metrics.auc_error_bound, 0);
}

TEST(AucTest, TiesCountHalf) {
  // Positives 0.5, 0.5; negatives 0.5, 0.25: 2 ties, 2 won: (2 + 2 / 2) / 4.
  EXPECT_EQ(ComputeMetrics(SumsOf({{0.5f, 0.5f, 0.5f, 0.25f}, {1, 1, 0, 0}})).auc, 0.75);
}

TEST(AucTest, PerfectReversedAndConstantScores) {
  EXPECT_EQ(ComputeMetrics(SumsOf({{0.1f, 0.9f}, {0, 1}})).auc, 1);
  EXPECT_EQ(ComputeMetrics(SumsOf({{0.1f, 0.9f}, {1, 0}})).auc, 0);
  EXPECT_EQ(ComputeMetrics(SumsOf({{0.5f, 0.5f}, {1, 0}})).auc, 0.5);
}

TEST(AucTest, IsNaNWhenAClassOrAllScoresAreAbsent) {
  EXPECT_TRUE(std::isnan(ComputeMetrics(SumsOf({{0.1f, 0.9f}, {1, 1}})).auc));
  EXPECT_TRUE(std::isnan(ComputeMetrics(SumsOf({{0.1f, 0.9f}, {0, 0}})).auc));
  EXPECT_TRUE(std::isnan(ComputeMetrics({}).auc));
}

TEST(AucTest, NaNScoresRankLowest) {
  // The NaN positive loses against both negatives, the other one wins twice.
  EXPECT_EQ(ComputeMetrics(SumsOf({{NAN, 0.1f, 0.2f, 0.9f}, {1, 0, 0, 1}})).auc, 0.5);
}

TEST(AucTest, EqualsBruteForceOnRandomScoresWithAndWithoutTies) {
  for (const uint64_t levels : {2, 8, 50, 1'000'000}) {
    const Scored data = RandomScores(levels, 400);
    EXPECT_NEAR(ComputeMetrics(SumsOf(data)).auc, BruteForceAuc(data), 1e-12) << levels;
  }
}

TEST(AucTest, MergedPartsEqualTheWholeHoweverItIsCut) {
  const Scored data = RandomScores(50, 400);
  const v1::MetricSums whole = SumsOf(data);
  for (const size_t part : {1, 7, 150, 400}) {
    v1::MetricSums total;
    for (size_t begin = 0; begin < 400; begin += part) {
      MergeSums(SumsOf(data, begin, std::min<size_t>(400, begin + part)), &total);
    }
    EXPECT_TRUE(ValidateSums(total).ok()) << ValidateSums(total);
    EXPECT_TRUE(MessageDifferencer::Equals(total, whole)) << "parts of " << part;
  }
}

TEST(AucTest, BinsAreWithinTheirBoundAndTheBoundIsNotZero) {
  const Scored data = RandomScores(1'000'000, 2000);  // some pairs share one of 65,536 bins
  const Metrics exact = ComputeMetrics(SumsOf(data));
  const Metrics binned = ComputeMetrics(SumsOf(data, 10));
  EXPECT_GT(binned.auc_error_bound, 0);
  EXPECT_LT(binned.auc_error_bound, 0.01);
  EXPECT_LE(std::abs(binned.auc - exact.auc), binned.auc_error_bound);
}

// One positive and one negative, both in bin 0, a second negative in bin 32768: pairs 2, one in one
// bin: AUC (0 + 1 / 2) / 2, bound (1 / 2) / 2. The truth is 0.5 or 0.
TEST(AucTest, BoundIsHalfTheShareOfPairsWithinOneBin) {
  const Metrics metrics = ComputeMetrics(SumsOf({{2e-6f, 1e-6f, 0.5f}, {1, 0, 0}}, 0));
  EXPECT_EQ(metrics.auc, 0.25);
  EXPECT_EQ(metrics.auc_error_bound, 0.25);
}

TEST(AucTest, RunsAndBinsMergeIntoBinsInEitherOrder) {
  const Scored data = RandomScores(1000, 200);
  const v1::MetricSums all_binned = SumsOf(data, 0);
  const v1::MetricSums runs = SumsOf(data, 0, 120), bins = SumsOf(data, 120, 200, 0);
  v1::MetricSums runs_first = runs, bins_first = bins;
  MergeSums(bins, &runs_first);
  MergeSums(runs, &bins_first);
  EXPECT_TRUE(MessageDifferencer::Equals(runs_first, all_binned));
  EXPECT_TRUE(MessageDifferencer::Equals(bins_first, all_binned));
  EXPECT_TRUE(ValidateSums(runs_first).ok()) << ValidateSums(runs_first);
}

}  // namespace
}  // namespace convoy
