#include "launcher/coordinator/report_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1000);

// 10 examples in batches of 4: three steps an epoch.
TrainingPlan SyncPlan(uint32_t slices = 2) {
  v1::Job job = MakeJob("sync", 1, 2);
  job.mutable_training()->set_slices(slices);
  job.mutable_training()->set_epochs(2);
  return TrainingPlan(job, {Mode::Kind::kSync, 0}, MakeSetup(10, 6).data());
}

// Batches of 2 examples, tasks of 4.
TrainingPlan AsyncPlan() {
  v1::Job job = MakeJob("async", 1, 2);
  job.mutable_training()->set_slices(2);
  job.mutable_training()->set_batches_per_task(2);
  job.mutable_training()->set_epochs(2);
  return TrainingPlan(job, {Mode::Kind::kAsync, 0}, MakeSetup(10, 6).data());
}

v1::ReportRequest Train(uint64_t part, uint64_t begin, uint64_t end, uint64_t examples,
                        double loss) {
  v1::ReportRequest report;
  report.set_part(part);
  report.set_step_begin(begin);
  report.set_step_end(end);
  *report.mutable_sums() = MakeSums(examples, loss);
  return report;
}

v1::ReportRequest Validation(uint64_t part, uint64_t begin, uint64_t end, uint64_t examples,
                             double loss) {
  v1::ReportRequest report = Train(part, begin, end, examples, loss);
  report.set_kind(v1::ReportRequest::VALIDATION);
  return report;
}

TEST(ReportBookTest, AStretchIsWrittenWhenAllSlicesHaveReported) {
  ReportBook book(SyncPlan(), 1, kStart);
  EXPECT_EQ(book.Add(Train(1, 0, 2, 4, 6.0), kStart).value(), "");
  const auto line = book.Add(Train(0, 0, 2, 4, 2.0), kStart + absl::Seconds(2));
  ASSERT_TRUE(line.ok());
  const json event = json::parse(*line);
  EXPECT_EQ(event["kind"], "train");
  EXPECT_EQ(event["generation"], 1);
  EXPECT_EQ(event["step"], 2);
  EXPECT_EQ(event["examples"], 8);
  EXPECT_EQ(event["epoch"], 0.8);                // 8 of 10 examples
  EXPECT_EQ(event["loss"], 1.0);                 // (6 + 2) / 8
  EXPECT_EQ(event["time"], 2.0);                 // seconds
  EXPECT_EQ(event["examples_per_second"], 4.0);  // 8 in 2 s
}

TEST(ReportBookTest, FieldsStandInTheDocumentedOrder) {
  ReportBook book(SyncPlan(1), 1, kStart);
  const std::string line = book.Add(Train(0, 0, 1, 4, 2.0), kStart).value();
  EXPECT_EQ(line.rfind(R"({"time":0.0,"kind":"train","generation":1,"step":1,"examples":4,)"
                       R"("epoch":0.4,"loss":0.5,)",
                       0),
            0u)
      << line;
  EXPECT_THAT(line, HasSubstr(R"("staleness":{"min":0,"mean":0.0,"max":0}})"));
}

TEST(ReportBookTest, SlicesAreSummedInTheirOrderWhateverTheOrderOfArrival) {
  // (1e16 + 1) + 1 differs from 1e16 + (1 + 1).
  const double losses[] = {1e16, 1, 1};
  ReportBook forward(SyncPlan(3), 1, kStart), backward(SyncPlan(3), 1, kStart);
  std::string a, b;
  for (uint64_t i = 0; i < 3; ++i) a = forward.Add(Train(i, 0, 1, 1, losses[i]), kStart).value();
  for (uint64_t i = 3; i-- > 0;) b = backward.Add(Train(i, 0, 1, 1, losses[i]), kStart).value();
  EXPECT_NE(a, "");
  EXPECT_EQ(a, b);
}

TEST(ReportBookTest, TheSameReportReplacesAndIsNeverAdded) {
  ReportBook book(SyncPlan(), 1, kStart);
  EXPECT_EQ(book.Add(Train(0, 0, 2, 4, 100.0), kStart).value(), "");
  EXPECT_EQ(book.Add(Train(0, 0, 2, 4, 2.0), kStart).value(), "");
  const json event = json::parse(book.Add(Train(1, 0, 2, 4, 6.0), kStart).value());
  EXPECT_EQ(event["examples"], 8);
  EXPECT_EQ(event["loss"], 1.0);
}

TEST(ReportBookTest, AReportOnAStretchThatIsWrittenChangesNothing) {
  ReportBook book(SyncPlan(1), 1, kStart);
  EXPECT_NE(book.Add(Train(0, 0, 2, 8, 2.0), kStart).value(), "");
  EXPECT_EQ(book.Add(Train(0, 0, 2, 8, 2.0), kStart).value(), "");
  EXPECT_EQ(book.examples(), 8u);
}

TEST(ReportBookTest, TheSummaryHasTheLastEpochOnly) {
  ReportBook book(SyncPlan(1), 1, kStart);
  ASSERT_TRUE(book.Add(Train(0, 0, 3, 10, 50.0), kStart).ok());
  ASSERT_TRUE(book.Add(Train(0, 3, 5, 8, 16.0), kStart).ok());
  ASSERT_TRUE(book.Add(Train(0, 5, 6, 2, 4.0), kStart).ok());
  EXPECT_EQ(book.LastEpoch().examples(), 10u);
  EXPECT_EQ(book.LastEpoch().loss(), 20.0);
  EXPECT_EQ(book.examples(), 20u);
  EXPECT_EQ(book.steps(), 6u);
}

TEST(ReportBookTest, AValidationNamesTheVersionItWasMadeOn) {
  ReportBook book(SyncPlan(), 1, kStart);
  EXPECT_EQ(book.Add(Validation(0, 0, 3, 3, 3.0), kStart).value(), "");
  const json event = json::parse(book.Add(Validation(1, 0, 3, 3, 6.0), kStart).value());
  EXPECT_EQ(event["kind"], "validation");
  EXPECT_EQ(event["version"], 3);
  EXPECT_EQ(event["step"], 3);
  EXPECT_EQ(event["epoch"], 1.0);
  EXPECT_EQ(event["loss"], 1.5);
  EXPECT_FALSE(event.contains("staleness"));
  EXPECT_EQ(book.validation().examples(), 6u);
}

TEST(ReportBookTest, ValidationsOfTwoVersionsAreKeptApart) {
  ReportBook book(SyncPlan(), 1, kStart);
  EXPECT_EQ(book.Add(Validation(0, 0, 3, 3, 3.0), kStart).value(), "");
  EXPECT_EQ(book.Add(Validation(1, 0, 6, 3, 6.0), kStart).value(), "");
  EXPECT_EQ(json::parse(book.Add(Validation(0, 0, 6, 3, 0.0), kStart).value())["version"], 6);
  EXPECT_EQ(json::parse(book.Add(Validation(1, 0, 3, 3, 0.0), kStart).value())["version"], 3);
  EXPECT_EQ(book.validation().loss(), 6.0);  // The newer version's.
}

TEST(ReportBookTest, EveryTrainingTaskIsALineOfItsOwn) {
  ReportBook book(AsyncPlan(), 1, kStart);
  // Task 2 of epoch 0: positions [4, 8), two batches.
  const json second = json::parse(book.Add(Train(2, 0, 0, 4, 8.0), kStart).value());
  EXPECT_EQ(second["step"], 2);
  EXPECT_EQ(second["epoch"], 0.4);
  // Task 3 is the short one: one batch.
  const json third = json::parse(book.Add(Train(3, 0, 0, 2, 8.0), kStart).value());
  EXPECT_EQ(third["step"], 3);
  EXPECT_EQ(third["examples"], 6);
  EXPECT_EQ(book.Add(Train(3, 0, 0, 2, 8.0), kStart).value(), "");
}

TEST(ReportBookTest, AValidationOfTasksIsWrittenWhenAllTasksOfItsEpochAreThere) {
  ReportBook book(AsyncPlan(), 1, kStart);
  EXPECT_EQ(book.Add(Validation(kValidationTask + 2, 0, 0, 3, 3.0), kStart).value(), "");
  const json event =
      json::parse(book.Add(Validation(kValidationTask + 1, 0, 0, 3, 9.0), kStart).value());
  EXPECT_EQ(event["version"], "newest pulled");
  EXPECT_EQ(event["epoch"], 1);
  EXPECT_EQ(event["loss"], 2.0);  // (3 + 9) / 6
}

TEST(ReportBookTest, StalenessIsMergedOverTheSlicesThatMeasuredIt) {
  ReportBook book(SyncPlan(3), 1, kStart);
  v1::ReportRequest a = Train(0, 0, 1, 1, 1), b = Train(1, 0, 1, 1, 1), none = Train(2, 0, 1, 1, 1);
  a.set_staleness_count(2), a.set_staleness_sum(6), a.set_staleness_min(2), a.set_staleness_max(4);
  b.set_staleness_count(2), b.set_staleness_sum(2), b.set_staleness_min(1), b.set_staleness_max(1);
  ASSERT_TRUE(book.Add(none, kStart).ok());
  ASSERT_TRUE(book.Add(a, kStart).ok());
  const json staleness = json::parse(book.Add(b, kStart).value())["staleness"];
  EXPECT_EQ(staleness["min"], 1);
  EXPECT_EQ(staleness["max"], 4);
  EXPECT_EQ(staleness["mean"], 2.0);  // (6 + 2) / 4
}

TEST(ReportBookTest, SkippedGradientsAreCounted) {
  ReportBook book(SyncPlan(1), 1, kStart);
  v1::ReportRequest report = Train(0, 0, 1, 4, 1);
  report.set_skipped(3);
  ASSERT_TRUE(book.Add(report, kStart).ok());
  EXPECT_EQ(book.skipped(), 3u);
}

TEST(ReportBookTest, WhatIsOutsideOfTheJobIsRefused) {
  ReportBook book(SyncPlan(), 1, kStart);
  for (const auto& report : {Train(2, 0, 1, 1, 1), Train(0, 3, 3, 1, 1), Train(0, 5, 7, 1, 1),
                             Validation(0, 0, 7, 1, 1)}) {
    EXPECT_EQ(book.Add(report, kStart).status().code(), absl::StatusCode::kInvalidArgument)
        << report.ShortDebugString();
  }
}

TEST(ReportBookTest, SumsThatContradictThemselvesAreRefused) {
  ReportBook book(SyncPlan(), 1, kStart);
  v1::ReportRequest report = Train(0, 0, 1, 4, 1);
  report.mutable_sums()->set_classes(3);
  report.mutable_sums()->add_confusion(4);  // One count where 3 x 3 belong.
  EXPECT_EQ(book.Add(report, kStart).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ReportBookTest, SlicesThatDisagreeOnTheStretchAreRefused) {
  ReportBook book(SyncPlan(), 1, kStart);
  ASSERT_TRUE(book.Add(Train(0, 0, 2, 4, 1), kStart).ok());
  const absl::Status status = book.Add(Train(1, 0, 3, 4, 1), kStart).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("up to step 2"));
}

TEST(ThroughputTest, IsTheRateOverTheLastTwoSeconds) {
  Throughput rate(kStart);
  EXPECT_EQ(rate.Add(100, kStart), 0);
  EXPECT_EQ(rate.Add(100, kStart + absl::Seconds(1)), 100);          // 100 in 1 s
  EXPECT_EQ(rate.Add(1100, kStart + absl::Seconds(4)), 1000 / 3.0);  // since the measurement at 1 s
}

TEST(ReportBookTest, TheTestIsALineOfItsOwnBesideTheValidationOfTheSameVersion) {
  ReportBook book(SyncPlan(), 1, kStart);
  v1::ReportRequest test = Validation(0, 6, 6, 2, 8.0);
  test.set_kind(v1::ReportRequest::TEST);
  ASSERT_EQ(book.Add(Validation(0, 6, 6, 3, 3.0), kStart).value(), "");
  ASSERT_EQ(book.Add(test, kStart).value(), "");
  test.set_part(1);
  const json event = json::parse(book.Add(test, kStart).value());
  EXPECT_EQ(event["kind"], "test");
  EXPECT_EQ(event["version"], 6);
  EXPECT_EQ(event["loss"], 4.0);  // (8 + 8) / (2 + 2)
  EXPECT_EQ(book.test().examples(), 4u);
  EXPECT_EQ(book.validation().examples(), 0u);
  EXPECT_NE(book.Add(Validation(1, 6, 6, 3, 3.0), kStart).value(), "");
  EXPECT_EQ(book.Add(test, kStart).value(), "");  // written once
}

TEST(ReportBookTest, OldDataAreMeasuredBesideTheNewOnesAndBeforeTheFirstStep) {
  ReportBook book(SyncPlan(), 1, kStart);
  const auto add = [&](v1::ReportRequest::Kind kind, uint64_t version, double loss) {
    std::string line;
    for (const uint64_t slice : {0, 1}) {
      v1::ReportRequest report = Validation(slice, version, version, 2, loss);
      report.set_kind(kind);
      line = book.Add(report, kStart).value();
    }
    return json::parse(line);
  };
  EXPECT_EQ(book.measured(), MeasuredValidations());
  EXPECT_EQ(add(v1::ReportRequest::VALIDATION, 0, 20.0)["step"], 0);
  EXPECT_EQ(add(v1::ReportRequest::VALIDATION_OLD, 0, 2.0)["kind"], "validation_old");
  const json event = add(v1::ReportRequest::VALIDATION_OLD, 6, 8.0);
  EXPECT_EQ(event["kind"], "validation_old");
  EXPECT_EQ(event["version"], 6);
  EXPECT_EQ(event["loss"], 4.0);
  add(v1::ReportRequest::VALIDATION, 6, 6.0);
  EXPECT_EQ(book.validation().loss(), 12.0);
  EXPECT_EQ(book.validation_old().loss(), 16.0);
  EXPECT_EQ(json::parse(book.measured().first)["loss"], 10.0);
  EXPECT_EQ(json::parse(book.measured().first_old)["loss"], 1.0);
  EXPECT_EQ(json::parse(book.measured().newest_old)["loss"], 4.0);
}

TEST(TrainingPlanTest, AnOversampledEpochIsAsLongAsItsVisits) {
  v1::DataSummary data = MakeSetup(10, 0).data();
  EXPECT_EQ(TrainingPlan(MakeJob("sync", 1, 2), {Mode::Kind::kSync, 0}, data).examples, 10u);
  data.set_epoch_examples(18);
  const TrainingPlan plan(MakeJob("sync", 1, 2), {Mode::Kind::kSync, 0}, data);
  EXPECT_EQ(plan.StepsPerEpoch(), 5u);  // batches of 4
  EXPECT_EQ(plan.Epochs(9), 0.5);
}

}  // namespace
}  // namespace convoy
