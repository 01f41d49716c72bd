#include "launcher/coordinator/training_record.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

v1::MetricSums Classified() {
  v1::MetricSums sums;
  sums.set_examples(5);
  sums.set_loss(0.1 + 0.2);  // not a short number
  sums.set_classes(3);
  for (const uint64_t count : {2, 0, 0, 0, 1, 1, 0, 0, 1}) sums.add_confusion(count);
  v1::NamedSum& own = *sums.add_own();
  own.set_name("top_2");
  own.set_sum(1.0 / 3);
  return sums;
}

TrainingRecord Sample() {
  TrainingRecord record;
  record.skipped = 3;
  record.epoch.Add(2, 20, 20, 23, Classified());
  record.epoch.Add(2, 20, 25, 27, Classified());  // after a gap
  for (uint64_t slice = 0; slice < 2; ++slice) {
    v1::ReportRequest partial;
    partial.set_kind(v1::ReportRequest::PARTIAL);
    partial.set_part(slice);
    partial.set_step_begin(27);
    partial.set_step_end(29);
    *partial.mutable_sums() = Classified();
    partial.set_skipped(slice);
    partial.set_staleness_count(7);
    record.partial.push_back(partial);
  }
  record.measured.newest = R"({"examples":10,"loss":0.25})";
  record.measured.newest_old = R"({"examples":12,"loss":0.5})";
  record.measured.first = R"({"examples":10,"loss":2.5})";
  record.measured.first_old = R"({"examples":12,"loss":0.125})";
  record.validation_key = 20;
  record.metric = "validation/loss";
  record.track.best = 0.1;
  record.track.best_key = 10;
  record.track.last_key = 20;
  record.track.since_best = 1;
  return record;
}

TEST(TrainingRecordTest, WhatWasWrittenIsReadWithEveryBit) {
  const TrainingRecord record = Sample();
  const auto read = ParseTrainingRecord(ToJson(record));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), ToJson(record));
  EXPECT_EQ(read->epoch.Total().SerializeAsString(), record.epoch.Total().SerializeAsString());
  ASSERT_EQ(read->partial.size(), 2u);
  EXPECT_EQ(read->partial[1].SerializeAsString(), record.partial[1].SerializeAsString());
  EXPECT_EQ(read->measured, record.measured);
  EXPECT_EQ(read->track.best, record.track.best);
  EXPECT_EQ(read->track.last_key, 20u);
}

// Without examples there are no counts, of which as many classes have 36 million.
TEST(TrainingRecordTest, SixThousandClassesAreRead) {
  TrainingRecord record;
  v1::MetricSums sums;
  sums.set_classes(6000);
  record.epoch.Add(0, 0, 0, 1, sums);
  const auto read = ParseTrainingRecord(ToJson(record));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->epoch.Total().classes(), 6000u);
}

TEST(TrainingRecordTest, ATrainingThatHasDivergedHasARecordToo) {
  TrainingRecord record;
  v1::MetricSums sums = MakeSums(2, std::numeric_limits<double>::quiet_NaN());
  record.epoch.Add(0, 0, 0, 1, sums);
  const auto read = ParseTrainingRecord(ToJson(record));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(std::isnan(read->epoch.Total().loss()));
}

TEST(TrainingRecordTest, WhatIsNoRecordIsAnErrorAndNoCrash) {
  const std::string good = ToJson(Sample());
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"skipped":-1})"),
        std::string(R"({"skipped":0,"partial":{},"epoch":7})")}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseTrainingRecord(bad).status())) << bad;
  }
  for (size_t cut = 0; cut < good.size(); cut += 7) {
    EXPECT_FALSE(ParseTrainingRecord(good.substr(0, cut)).ok());
  }
  std::string large = good;
  large.replace(large.find("\"classes\":3"), 11, "\"classes\":4000000000");
  EXPECT_TRUE(absl::IsDataLoss(ParseTrainingRecord(large).status()));
}

}  // namespace
}  // namespace convoy
