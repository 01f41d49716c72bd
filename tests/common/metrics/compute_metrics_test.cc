#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/metrics/metrics.h"

namespace convoy {
namespace {

using nlohmann::json;

// Rows: true classes 0, 1, 2.
v1::MetricSums Confusion(uint32_t classes, const std::vector<uint64_t>& counts) {
  v1::MetricSums sums;
  sums.set_classes(classes);
  sums.mutable_confusion()->Assign(counts.begin(), counts.end());
  for (const uint64_t count : counts) sums.set_examples(sums.examples() + count);
  return sums;
}

v1::MetricSums Regression(uint64_t examples, double loss, double squared_error) {
  v1::MetricSums sums;
  sums.set_examples(examples);
  sums.set_loss(loss);
  sums.set_squared_error(squared_error);
  return sums;
}

// tn 50, fp 10, fn 5, tp 35.
TEST(ComputeMetricsTest, TwoClassesAsWorkedOutByHand) {
  const Metrics metrics = ComputeMetrics(Confusion(2, {50, 10, 5, 35}));
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.85);
  EXPECT_DOUBLE_EQ(metrics.precision, 35.0 / 45);
  EXPECT_DOUBLE_EQ(metrics.recall, 35.0 / 40);
  EXPECT_DOUBLE_EQ(metrics.f1, 70.0 / 85);                            // 2 tp / (2 tp + fp + fn)
  EXPECT_DOUBLE_EQ(metrics.macro_f1, (70.0 / 85 + 100.0 / 115) / 2);  // class 0: 2 * 50 / 115
  EXPECT_EQ(metrics.per_class[0].support, 60u);
  EXPECT_EQ(metrics.per_class[1].support, 40u);
}

// Class 0: 3 of 4 found, 3 of 5 predicted right. Class 1: 2 of 4, 2 of 3. Class 2: 1 of 2, 1 of 2.
TEST(ComputeMetricsTest, ThreeClassesAsWorkedOutByHand) {
  const Metrics metrics = ComputeMetrics(Confusion(3, {3, 1, 0, 1, 2, 1, 1, 0, 1}));
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.6);
  EXPECT_DOUBLE_EQ(metrics.macro_recall, (0.75 + 0.5 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(metrics.macro_precision, (0.6 + 2.0 / 3 + 0.5) / 3);
  EXPECT_DOUBLE_EQ(metrics.macro_f1, (6.0 / 9 + 4.0 / 7 + 0.5) / 3);
}

TEST(ComputeMetricsTest, RatiosOfNothingAreZero) {
  // Class 1 is never predicted: precision 0 / 0. Class 2 is not there at all.
  const Metrics metrics = ComputeMetrics(Confusion(3, {3, 0, 0, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(metrics.per_class[1].precision, 0);
  EXPECT_EQ(metrics.per_class[2].recall, 0);
  EXPECT_EQ(metrics.per_class[2].f1, 0);
}

TEST(ComputeMetricsTest, MacroAveragesLeaveOutClassesThatDoNotOccur) {
  const Metrics metrics = ComputeMetrics(Confusion(3, {3, 0, 0, 1, 0, 0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(metrics.macro_precision, (0.75 + 0) / 2);
  EXPECT_DOUBLE_EQ(metrics.macro_recall, (1.0 + 0) / 2);
  EXPECT_DOUBLE_EQ(metrics.macro_f1, (6.0 / 7 + 0) / 2);
}

TEST(ComputeMetricsTest, RegressionHasMeanLossAndRootMeanSquare) {
  const Metrics metrics = ComputeMetrics(Regression(4, 10, 36));
  EXPECT_EQ(metrics.loss, 2.5);
  EXPECT_EQ(metrics.rmse, 3);
  EXPECT_TRUE(metrics.per_class.empty());
}

TEST(ComputeMetricsTest, NoExamplesGiveZeros) {
  EXPECT_EQ(ComputeMetrics({}).loss, 0);
  EXPECT_EQ(ComputeMetrics({}).rmse, 0);
  EXPECT_EQ(ComputeMetrics(Confusion(2, {0, 0, 0, 0})).accuracy, 0);
}

TEST(ComputeMetricsTest, ExamplesWithoutAClassLowerTheAccuracy) {
  v1::MetricSums sums = Confusion(2, {3, 0, 0, 0});
  sums.set_examples(4);
  EXPECT_EQ(ComputeMetrics(sums).accuracy, 0.75);
}

TEST(MergeSumsTest, AddsEverySum) {
  v1::MetricSums total = Confusion(2, {1, 2, 3, 4});
  total.set_loss(1.5);
  v1::MetricSums part = Confusion(2, {10, 20, 30, 40});
  part.set_loss(2);
  part.set_squared_error(7);
  MergeSums(part, &total);
  EXPECT_THAT(total.confusion(), testing::ElementsAre(11, 22, 33, 44));
  EXPECT_EQ(total.examples(), 110u);
  EXPECT_EQ(total.loss(), 3.5);
  EXPECT_EQ(total.squared_error(), 7);
}

TEST(MergeSumsTest, OwnMetricsAreFoundByName) {
  v1::MetricSums total, part, other;
  *part.add_own() = [] {
    v1::NamedSum own;
    own.set_name("a");
    own.set_sum(0.1);
    return own;
  }();
  *other.add_own() = [] {
    v1::NamedSum own;
    own.set_name("b");
    own.set_sum(4);
    return own;
  }();
  for (const v1::MetricSums* sums : {&part, &other, &part, &part}) MergeSums(*sums, &total);
  ASSERT_EQ(total.own_size(), 2);
  EXPECT_EQ(total.own(0).sum(), 0.1 + 0.1 + 0.1);  // in this order
  EXPECT_EQ(total.own(1).name(), "b");
}

TEST(MergeSumsTest, AnEmptyTotalBecomesThePart) {
  v1::MetricSums total;
  MergeSums(Confusion(3, {1, 0, 0, 0, 1, 0, 0, 0, 1}), &total);
  EXPECT_EQ(total.classes(), 3u);
  EXPECT_EQ(ComputeMetrics(total).accuracy, 1);
}

TEST(MetricsJsonTest, RegressionHasLossAndRmseAlone) {
  EXPECT_EQ(MetricsJson(Regression(4, 10, 36), true), R"({"loss":2.5,"rmse":3.0})");
}

TEST(MetricsJsonTest, OwnMetricsFollowInTheirOrderAsMeans) {
  v1::MetricSums sums = Regression(4, 10, 36);
  MetricAccumulator accumulator(0, false);
  const std::vector<std::string> names = {"zeta", "alpha"};
  const std::vector<double> first = {1, 2}, second = {2, 3};
  accumulator.AddOwn(names, first);
  accumulator.AddOwn(names, second);
  MergeSums(accumulator.Take(), &sums);
  EXPECT_EQ(MetricsJson(sums, true), R"({"loss":2.5,"rmse":3.0,"own":{"zeta":0.75,"alpha":1.25}})");
  EXPECT_EQ(accumulator.Take().own_size(), 0);
}

TEST(MetricsJsonTest, ClassesHaveAccuracyAndMacroAverages) {
  EXPECT_EQ(MetricsJson(Confusion(3, {1, 0, 0, 0, 1, 0, 0, 0, 2}), false),
            R"({"loss":0.0,"accuracy":1.0,"macro_precision":1.0,"macro_recall":1.0,)"
            R"("macro_f1":1.0})");
}

TEST(MetricsJsonTest, TwoClassesHaveAucWhenScoresWereKept) {
  v1::MetricSums sums = Confusion(2, {1, 0, 0, 1});
  EXPECT_FALSE(json::parse(MetricsJson(sums, false)).contains("auc"));
  EXPECT_EQ(json::parse(MetricsJson(sums, false))["f1"], 1.0);
  sums.add_scores(0.5f);
  sums.add_positives(1);
  sums.add_negatives(1);
  const json with_auc = json::parse(MetricsJson(sums, false));
  EXPECT_EQ(with_auc["auc"], 0.5);
  EXPECT_FALSE(with_auc.contains("auc_error_bound"));
}

TEST(MetricsJsonTest, NaNAndInfinityAreNull) {
  v1::MetricSums sums = Confusion(2, {0, 0, 0, 1});
  sums.set_loss(INFINITY);
  sums.add_scores(0.5f);
  sums.add_positives(1);  // no negatives: AUC is NaN
  sums.add_negatives(0);
  const json parsed = json::parse(MetricsJson(sums, false));
  EXPECT_TRUE(parsed["auc"].is_null());
  EXPECT_TRUE(parsed["loss"].is_null());
}

TEST(MetricsJsonTest, PerClassListsEveryClass) {
  const json parsed = json::parse(MetricsJson(Confusion(2, {50, 10, 5, 35}), true));
  ASSERT_EQ(parsed["classes"].size(), 2u);
  EXPECT_EQ(parsed["classes"][1]["class"], 1);
  EXPECT_EQ(parsed["classes"][1]["support"], 40);
  EXPECT_EQ(parsed["classes"][1]["recall"], 0.875);
}

}  // namespace
}  // namespace convoy
