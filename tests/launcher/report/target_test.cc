#include "launcher/report/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launcher/report/sample_run.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  return std::string(ParseTarget(text).status().message());
}

TEST(TargetTest, AtLeastOrAtMostFollowsFromTheMetricOrIsWritten) {
  const Target accuracy = *ParseTarget("validation/accuracy=0.87");
  EXPECT_EQ(accuracy.split, "validation");
  EXPECT_EQ(accuracy.metric, "accuracy");
  EXPECT_EQ(accuracy.value, 0.87);
  EXPECT_TRUE(accuracy.at_least);
  EXPECT_EQ(accuracy.Describe(), "validation accuracy of 0.87");
  EXPECT_FALSE(ParseTarget("train/loss=0.3")->at_least);
  EXPECT_TRUE(ParseTarget("validation/own_score>=2")->at_least);
  EXPECT_FALSE(ParseTarget("validation/own_error<=2")->at_least);
}

TEST(TargetTest, WhatIsNoTargetIsRefusedWithAnExample) {
  EXPECT_THAT(ErrorOf("accuracy"), HasSubstr("there is no \"=\""));
  EXPECT_THAT(ErrorOf("accuracy=0.9"), HasSubstr("there is no \"/\""));
  EXPECT_THAT(ErrorOf("test/accuracy=0.9"), HasSubstr("\"test\" is neither validation nor train"));
  EXPECT_THAT(ErrorOf("validation/=0.9"), HasSubstr("the metric is missing"));
  EXPECT_THAT(ErrorOf("validation/accuracy=much"), HasSubstr("VALUE must be a number"));
  EXPECT_THAT(ErrorOf("validation/accuracy=nan"), HasSubstr("VALUE must be a number"));
  EXPECT_THAT(ErrorOf("validation/mine=1"), HasSubstr("write >= or <= for \"mine\""));
  EXPECT_THAT(ErrorOf("x"), HasSubstr("validation/accuracy=0.87"));
}

TEST(TargetTest, AMetricThatTheJobCannotHaveIsNamedWithThoseItHas) {
  const RunRecord run = testing::MakeRun({});
  EXPECT_TRUE(CheckTarget(*ParseTarget("validation/accuracy=0.9"), run.job).ok());
  EXPECT_THAT(std::string(CheckTarget(*ParseTarget("validation/rmse=1"), run.job).message()),
              HasSubstr("the job does not measure \"rmse\" on its validation data"));
  EXPECT_THAT(std::string(CheckTarget(*ParseTarget("validation/acuracy>=1"), run.job).message()),
              HasSubstr("did you mean \"accuracy\"?"));
  v1::Job without = run.job;
  without.mutable_data()->clear_validation();
  EXPECT_THAT(std::string(CheckTarget(*ParseTarget("validation/accuracy=0.9"), without).message()),
              HasSubstr("data.validation is missing"));
  v1::Job custom = run.job;
  custom.mutable_model()->mutable_custom()->set_name("mine");
  EXPECT_TRUE(CheckTarget(*ParseTarget("validation/mine>=1"), custom).ok()) << "nobody knows yet";
}

TEST(TargetTest, ARunTellsWhatItMeasured) {
  const RunRecord run = testing::MakeRun({});
  EXPECT_TRUE(CheckTarget(*ParseTarget("validation/loss=0.1"), run).ok());
  EXPECT_THAT(std::string(CheckTarget(*ParseTarget("validation/auc=0.9"), run).message()),
              HasSubstr("it has accuracy, loss"));
}

TEST(TargetTest, IsReachedAtTheFirstPointThatMeetsIt) {
  const RunRecord run = testing::MakeRun({.accuracies = {0.5, 0.8, 0.7, 0.9}});
  const CurvePoint* point = FirstPointAt(*ParseTarget("validation/accuracy=0.75"), run);
  ASSERT_NE(point, nullptr);
  EXPECT_EQ(point->examples, 2000);
  EXPECT_EQ(FirstPointAt(*ParseTarget("validation/loss=0.1001"), run)->examples, 4000);
  EXPECT_EQ(FirstPointAt(*ParseTarget("validation/accuracy=0.95"), run), nullptr);
  EXPECT_EQ(FirstPointAt(*ParseTarget("train/accuracy=0.5"), run), nullptr);
}

}  // namespace
}  // namespace convoy
