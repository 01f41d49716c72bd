#include "common/monitoring/metrics_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/testing/http_get.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Job JobAt(uint32_t port) {
  v1::Job job;
  job.set_name("toys");
  job.mutable_cluster()->set_servers(2);
  job.mutable_cluster()->set_workers(3);
  job.mutable_cluster()->set_metrics_port(port);
  return job;
}

TEST(MetricsPortsTest, CoordinatorThenServersThenWorkersInARow) {
  const v1::Job job = JobAt(9400);
  EXPECT_EQ(MetricsPortOf(job, "coordinator", 0), 9400u);
  EXPECT_EQ(MetricsPortOf(job, "server", 1), 9402u);
  EXPECT_EQ(MetricsPortOf(job, "worker", 0), 9403u);
  EXPECT_EQ(MetricsPortOf(job, "worker", 2), 9405u);
  EXPECT_EQ(MetricsPortsOf(job).size(), 6u);
}

TEST(MetricsPortsTest, ModeSingleHasNoServers) {
  v1::Job job = JobAt(9400);
  job.mutable_training()->set_mode("single");
  EXPECT_EQ(MetricsPortsOf(job).size(), 2u);
  EXPECT_EQ(MetricsPortOf(job, "worker", 0), 9401u);
}

TEST(MetricsPortsTest, NoneIfTheyAreOff) {
  EXPECT_THAT(MetricsPortsOf(JobAt(0)), IsEmpty());
  EXPECT_EQ(MetricsPortOf(JobAt(0), "worker", 0), 0u);
}

TEST(MetricsPortsTest, BusyPortsAreNamedWithTheirProcess) {
  const TakenPort taken;
  ASSERT_GT(taken.port(), 1);
  v1::Job job = JobAt(taken.port() - 1u);
  job.mutable_training()->set_mode("single");
  EXPECT_THAT(BusyMetricsPorts(job), ::testing::Contains(std::to_string(taken.port()) +
                                                         " (worker 0: the port is in use)"));
}

TEST(MetricsPortsTest, TargetsAreAGroupForPrometheus) {
  v1::Job job = JobAt(9400);
  job.mutable_training()->set_mode("single");
  const auto groups = nlohmann::json::parse(MetricsTargets(job, "node7"));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0]["labels"]["convoy_job"], "toys");
  EXPECT_THAT(groups[0]["targets"], ElementsAre("127.0.0.1:9400", "127.0.0.1:9401"));
  job.mutable_cluster()->set_metrics_address("0.0.0.0");
  EXPECT_EQ(nlohmann::json::parse(MetricsTargets(job, "node7"))[0]["targets"][1], "node7:9401");
}

}  // namespace
}  // namespace convoy::testing
