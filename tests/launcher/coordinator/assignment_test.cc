#include "launcher/coordinator/assignment.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(AssignmentTest, WhatDependsOnTheDataIsFilledIn) {
  v1::Job job;
  job.mutable_optimizer()->mutable_schedule()->mutable_cosine();
  v1::DataSummary data;
  data.set_examples(1000);
  data.set_features(7);
  data.set_classes(3);
  job = FillFromData(job, data, /*steps_per_epoch=*/50, /*total_examples=*/3000);
  EXPECT_EQ(job.data().features(), 7u);
  EXPECT_EQ(job.model().classes(), 3u);
  EXPECT_EQ(job.training().report_every_steps(), 3u);  // ceil(50 / 20)
  EXPECT_EQ(job.optimizer().schedule().cosine().over_examples(), 3000u);
}

TEST(AssignmentTest, WhatTheUserGaveIsKept) {
  v1::Job job;
  job.mutable_data()->set_features(9);
  job.mutable_model()->set_classes(4);
  job.mutable_training()->set_report_every_steps(1);
  job.mutable_optimizer()->mutable_schedule()->mutable_step()->set_every_examples(5);
  v1::DataSummary data;
  data.set_examples(1000);
  data.set_features(7);
  data.set_classes(3);
  job = FillFromData(job, data, 50, 3000);
  EXPECT_EQ(job.data().features(), 9u);
  EXPECT_EQ(job.model().classes(), 4u);
  EXPECT_EQ(job.training().report_every_steps(), 1u);
  EXPECT_EQ(job.optimizer().schedule().step().every_examples(), 5u);
}

TEST(AssignmentTest, SchedulesCountTheVisitsOfAnOversampledEpoch) {
  v1::Job job;
  job.mutable_optimizer()->mutable_schedule()->mutable_step();
  v1::DataSummary data;
  data.set_examples(1000);
  data.set_epoch_examples(1800);
  job = FillFromData(job, data, 50, 3000);
  EXPECT_EQ(job.optimizer().schedule().step().every_examples(), 1800u);
}

}  // namespace
}  // namespace convoy
