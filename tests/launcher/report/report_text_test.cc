// Tables, CSV and JSON of a comparison.
#include "launcher/report/report_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "launcher/report/comparison_table.h"
#include "launcher/report/report_csv.h"
#include "launcher/report/report_json.h"
#include "tests/launcher/report/sample_run.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using testing::MakeRun;
using ::testing::Not;

Comparison Sample() {
  return CompareRuns({MakeRun({.mode = "single"}), MakeRun({.mode = "sync"}),
                      MakeRun({.mode = "sync", .seed = 2, .speed = 500}),
                      MakeRun({.mode = "async", .failure = "worker 1: \"oh\", it said"})},
                     Target{"validation", "accuracy", 0.8, true});
}

TEST(NumberTextTest, NumbersAreWrittenForPeople) {
  EXPECT_EQ(SecondsText(0.5), "0.50 s");
  EXPECT_EQ(SecondsText(12.34), "12.3 s");
  EXPECT_EQ(SecondsText(200), "3 min 20 s");
  EXPECT_EQ(MinutesText(89), "89 seconds");
  EXPECT_EQ(MinutesText(600), "10 minutes");
  EXPECT_EQ(GroupedText(1234567), "1,234,567");
  EXPECT_EQ(GroupedText(-1234), "-1,234");
  EXPECT_EQ(GroupedText(999), "999");
  EXPECT_EQ(MetricText(0.87654), "0.8765");
  EXPECT_EQ(SpreadText({2, 1, 3, 3}, SecondsText), "2.00 s (1.00 s to 3.00 s)");
  EXPECT_EQ(SpreadText({2, 2, 2, 3}, SecondsText), "2.00 s");
}

TEST(ComparisonTableTest, HasALineForEachModeAndTheVerdict) {
  const Comparison all = Sample();
  const std::string text = RenderComparison(all, VerdictOf(all));
  EXPECT_THAT(text, HasSubstr("to accuracy 0.8"));
  EXPECT_THAT(text, HasSubstr("3.00 s (2.00 s to 4.00 s)"));
  EXPECT_THAT(text, HasSubstr("10-60 %"));
  EXPECT_THAT(text, HasSubstr("- async with seed 1 did not end as planned"));
  EXPECT_THAT(text, Not(HasSubstr("rate")));
}

TEST(ComparisonTableTest, ShowsRatesThatWereNotTheBest) {
  const Comparison all = CompareRuns(
      {MakeRun({.rate = 0.1}), MakeRun({.rate = 0.3, .accuracies = {0.4}})}, std::nullopt);
  EXPECT_THAT(RenderComparison(all, VerdictOf(all)),
              HasSubstr("not their best rate:\n  sync at rate 0.3: last accuracy 0.4000\n"));
}

TEST(ReportCsvTest, RunsHaveALineEachAndFieldsAreQuotedWhereTheyMustBe) {
  const std::string csv = RunsCsv(Sample());
  EXPECT_THAT(csv, HasSubstr("mode,learning_rate,seed,directory,"));
  EXPECT_THAT(csv,
              HasSubstr("sync,0.1,2,runs/sync,3000,30,6,500,4,2000,0.9,1000000,0,0.35,0,0,0,\r\n"));
  EXPECT_THAT(csv, HasSubstr(",\"worker 1: \"\"oh\"\", it said\"\r\n"));
}

TEST(ReportCsvTest, CurvesHaveEveryPoint) {
  const std::string csv = CurvesCsv(Sample());
  EXPECT_THAT(csv, HasSubstr("sync,0.1,2,runs/sync,validation,accuracy,2000,20,4,0.8\r\n"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 4 * 3 * 2);  // runs, points, metrics
}

TEST(ReportJsonTest, SaysAllThatTheTableSaysAndCurvesOnlyIfAsked) {
  const Comparison all = Sample();
  const auto json = nlohmann::json::parse(ReportJson(all, VerdictOf(all), Curves::kNone));
  EXPECT_EQ(json["target"]["value"], 0.8);
  EXPECT_EQ(json["modes"][1]["name"], "sync");
  EXPECT_EQ(json["modes"][1]["seconds_to_target"]["median"], 3);
  EXPECT_EQ(json["modes"][1]["facts"]["updates_per_epoch"], 10);
  EXPECT_EQ(json["modes"][2]["failed"], 1);
  EXPECT_EQ(json["runs"][3]["failure"], "worker 1: \"oh\", it said");
  EXPECT_FALSE(json["runs"][0].contains("validation"));
  const auto curves = nlohmann::json::parse(ReportJson(all, VerdictOf(all), Curves::kThinned));
  EXPECT_EQ(curves["runs"][2]["validation"]["seconds"], (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(curves["runs"][2]["validation"]["values"][0], (std::vector<double>{0.5, 0.8, 0.9}));
}

}  // namespace
}  // namespace convoy
