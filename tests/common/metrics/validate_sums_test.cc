#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "common/metrics/metrics.h"

namespace convoy {
namespace {

using testing::HasSubstr;

v1::MetricSums Valid() {
  MetricAccumulator accumulator(2, true);
  const std::vector<float> scores = {NAN, 0.2f, 0.7f, 0.8f}, labels = {0, 0, 1, 0};
  accumulator.Add(1, scores, 1, labels);
  return accumulator.Take();
}

v1::MetricSums Binned() {
  MetricAccumulator accumulator(2, true, 0);
  accumulator.Add(1, std::vector<float>{0.2f, 0.7f}, 1, std::vector<float>{0, 1});
  return accumulator.Take();
}

std::string ErrorOf(v1::MetricSums sums, const std::function<void(v1::MetricSums*)>& damage) {
  EXPECT_TRUE(ValidateSums(sums).ok()) << ValidateSums(sums);
  damage(&sums);
  const absl::Status status = ValidateSums(sums);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  // Refused or not, nothing may crash (the sanitizers watch).
  v1::MetricSums total = Valid(), binned = Binned();
  MergeSums(sums, &total);
  MergeSums(sums, &binned);
  MergeSums(Valid(), &sums);
  MergeSums(Binned(), &sums);
  MetricsJson(sums, true);
  MetricsJson(total, true);
  MetricsJson(binned, true);
  return std::string(status.message());
}

TEST(ValidateSumsTest, EmptySumsAreValid) {
  EXPECT_TRUE(ValidateSums({}).ok());
  v1::MetricSums classes_only;
  classes_only.set_classes(10);
  EXPECT_TRUE(ValidateSums(classes_only).ok());
}

TEST(ValidateSumsTest, ConfusionOfTheWrongSizeIsRefused) {
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->add_confusion(1); }),
              HasSubstr("got 5 confusion counts, want 4 (2 classes squared)"));
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->clear_confusion(); }),
              HasSubstr("got 0 confusion counts"));
}

TEST(ValidateSumsTest, AnAbsurdNumberOfClassesIsRefusedWithoutOverflow) {
  v1::MetricSums sums;
  sums.set_examples(1);
  sums.set_classes(0xffffffff);
  EXPECT_FALSE(ValidateSums(sums).ok());
  EXPECT_TRUE(ComputeMetrics(sums).per_class.empty());
}

TEST(ValidateSumsTest, RunsOfUnequalLengthAreRefused) {
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->add_scores(0.9f); }),
              HasSubstr("got 5 scores, 4 positives and 4 negatives"));
  EXPECT_FALSE(ErrorOf(Valid(), [](v1::MetricSums* sums) {
                 sums->mutable_negatives()->RemoveLast();
               }).empty());
  EXPECT_FALSE(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->clear_scores(); }).empty());
}

TEST(ValidateSumsTest, ScoresOutOfOrderAreRefused) {
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->set_scores(2, 0.1f); }),
              HasSubstr("got score 0.1 after 0.2"));
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->set_scores(2, 0.2f); }),
              HasSubstr("want ascending"));
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->set_scores(2, NAN); }),
              HasSubstr("want ascending"));
}

TEST(ValidateSumsTest, ScoresNeedTwoClasses) {
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->set_classes(3); }),
              HasSubstr("got scores with 3 classes"));
}

TEST(ValidateSumsTest, MoreCountsThanExamplesAreRefused) {
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->set_confusion(0, 100); }),
              HasSubstr("confusion counts count more than the 4 examples"));
  // 2^64 - 1 would wrap a plain sum around to fewer than 4.
  EXPECT_THAT(ErrorOf(Valid(), [](v1::MetricSums* sums) { sums->set_positives(0, ~uint64_t{0}); }),
              HasSubstr("scores count more"));
  EXPECT_THAT(ErrorOf(Binned(), [](v1::MetricSums* sums) { sums->set_positive_bins(7, 100); }),
              HasSubstr("bins count more"));
}

TEST(ValidateSumsTest, BinsOfTheWrongNumberAreRefused) {
  EXPECT_THAT(ErrorOf(Binned(), [](v1::MetricSums* sums) { sums->add_positive_bins(0); }),
              HasSubstr("got 65537 positive and 65536 negative bins, want 65536 of each"));
  EXPECT_FALSE(
      ErrorOf(Binned(), [](v1::MetricSums* sums) { sums->clear_negative_bins(); }).empty());
}

TEST(ValidateSumsTest, RunsBesideBinsAreRefused) {
  EXPECT_THAT(ErrorOf(Binned(),
                      [](v1::MetricSums* sums) {
                        sums->add_scores(0.5f);
                        sums->add_positives(0);
                        sums->add_negatives(0);
                      }),
              HasSubstr("both scores and bins"));
}

TEST(ValidateSumsTest, OwnMetricsHaveNamesOfTheirOwn) {
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\n"), std::string(65, 'x')}) {
    EXPECT_THAT(ErrorOf(Valid(), [&](v1::MetricSums* sums) { sums->add_own()->set_name(name); }),
                HasSubstr("want a name of 1 to 64 letters"));
  }
  EXPECT_THAT(ErrorOf(Valid(),
                      [](v1::MetricSums* sums) {
                        sums->add_own()->set_name("top-5.accuracy_1");
                        sums->add_own()->set_name("top-5.accuracy_1");
                      }),
              HasSubstr("got the metric \"top-5.accuracy_1\" twice"));
  EXPECT_THAT(ErrorOf(Valid(),
                      [](v1::MetricSums* sums) {
                        for (int i = 0; i < 257; ++i) sums->add_own()->set_name(std::to_string(i));
                      }),
              HasSubstr("got 257 own metrics, want at most 256"));
}

}  // namespace
}  // namespace convoy
