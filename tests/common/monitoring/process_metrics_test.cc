#include "common/monitoring/process_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/staleness_histogram.h"

namespace convoy {
namespace {

using ::testing::EndsWith;
using ::testing::Not;
using ::testing::StartsWith;

const Metric& Find(const MetricList& list, const std::string& name) {
  for (const Metric& metric : list.metrics()) {
    if (metric.name == name) return metric;
  }
  ADD_FAILURE() << "no " << name;
  return list.metrics().front();
}

TEST(ProcessMetricsTest, NamesFollowTheRulesOfPrometheus) {
  MetricList list;
  AddUsage({}, &list);
  AddServer({}, &list);
  AddWorker(0, {}, &list);
  std::set<std::string> names;
  for (const Metric& metric : list.metrics()) {
    EXPECT_THAT(metric.name, StartsWith("convoy_"));
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_FALSE(metric.help.empty());
    if (metric.type == Metric::Type::kCounter) {
      EXPECT_THAT(metric.name, EndsWith("_total"));
    } else {
      EXPECT_THAT(metric.name, Not(EndsWith("_total")));
    }
  }
}

TEST(ProcessMetricsTest, SayWhatHeartbeatsSay) {
  v1::ProcessUsage usage;
  usage.set_waited_seconds(1.5);
  usage.set_staleness_count(4);
  usage.set_staleness_sum(6);
  MetricList list;
  AddWorker(/*step=*/12, usage, &list);
  EXPECT_EQ(Find(list, "convoy_worker_step").value, 12);
  EXPECT_EQ(Find(list, "convoy_worker_waited_seconds_total").value, 1.5);
  EXPECT_EQ(Find(list, "convoy_worker_staleness_updates").count, 4u);
  EXPECT_EQ(Find(list, "convoy_worker_staleness_updates").sum, 6);
}

TEST(ProcessMetricsTest, BucketsOfStalenessAreCumulative) {
  v1::ServerStats stats;
  for (const uint64_t staleness : std::vector<uint64_t>{0, 0, 2, 5, 20, 40}) {
    const auto bucket = static_cast<int>(StalenessBucket(staleness));
    while (stats.staleness_histogram_size() <= bucket) stats.add_staleness_histogram(0);
    stats.set_staleness_histogram(bucket, stats.staleness_histogram(bucket) + 1);
  }
  stats.set_staleness_count(6);
  stats.set_staleness_sum(67);
  MetricList list;
  AddServer(stats, &list);
  const Metric& histogram = Find(list, "convoy_server_staleness_updates");
  EXPECT_EQ(histogram.count, 6u);
  EXPECT_EQ(histogram.sum, 67);
  const std::vector<std::pair<double, uint64_t>> first = {{0, 2}, {1, 2},  {2, 3},  {3, 3},
                                                          {7, 4}, {15, 4}, {31, 5}, {63, 6}};
  ASSERT_GE(histogram.buckets.size(), first.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(histogram.buckets[i], first[i]) << i;
  EXPECT_EQ(histogram.buckets.back().first, 16383);
}

}  // namespace
}  // namespace convoy
