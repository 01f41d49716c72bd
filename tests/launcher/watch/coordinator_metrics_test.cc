#include "launcher/watch/coordinator_metrics.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace convoy {
namespace {

// A coordinator with one event for each of its replies, until there are no more.
class CoordinatorMetricsTest : public ::testing::Test {
 protected:
  std::optional<double> Value(const std::string& name) {
    const MetricList list = metrics_.Collect();
    for (const Metric& metric : list.metrics()) {
      if (metric.name == name) return metric.value;
    }
    return std::nullopt;
  }

  std::vector<std::string> events_;
  uint64_t largest_request_ = 0;
  CoordinatorMetrics metrics_{[this](uint64_t seen) {
    largest_request_ = std::max(largest_request_, seen);
    v1::GetProgressReply reply;
    reply.set_phase(v1::TRAINING);
    reply.set_examples(100 * events_.size());
    reply.mutable_figures()->set_step(7);
    reply.mutable_figures()->set_workers_lost(3);
    reply.mutable_figures()->set_restarts(2);
    if (seen < events_.size()) reply.add_events(events_[seen]);
    reply.set_events_seen(std::min<uint64_t>(seen + 1, events_.size()));
    return reply;
  }};
};

TEST_F(CoordinatorMetricsTest, SaysWhereTheJobIs) {
  EXPECT_EQ(Value("convoy_job_phase"), 1);
  EXPECT_EQ(Value("convoy_job_step"), 7);
  EXPECT_EQ(Value("convoy_job_workers_lost_total"), 3);
  EXPECT_EQ(Value("convoy_job_restarts_total"), 2);
  EXPECT_GT(Value("convoy_process_resident_memory_bytes"), 0);
  EXPECT_EQ(Value("convoy_training_loss"), std::nullopt) << "nothing was reported yet";
}

TEST_F(CoordinatorMetricsTest, ReadsEachEventOnce) {
  events_ = {
      R"({"time":1,"kind":"train","step":1,"examples":1,"epoch":0.5,"loss":0.5})",
      R"({"time":1,"kind":"validation","step":1,"examples":1,"epoch":0.5,"loss":0.25,"accuracy":0.75})"};
  EXPECT_EQ(Value("convoy_training_loss"), 0.5);
  EXPECT_EQ(Value("convoy_validation_accuracy"), 0.75);
  EXPECT_EQ(Value("convoy_job_epoch"), 0.5);
  EXPECT_EQ(largest_request_, 2u);
  events_.push_back(R"({"time":1,"kind":"train","step":2,"examples":2,"epoch":1,"loss":null})");
  EXPECT_EQ(Value("convoy_job_loss_broken"), 1);
}

}  // namespace
}  // namespace convoy
