// Metrics of every process, and the dashboard, of jobs that train.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/testing/http_get.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class MonitoringCommandTest : public ::testing::Test {
 protected:
  MonitoringCommandTest() {
    WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteFile(job_,
              "name: \"toys\" data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" "
              "validation { fraction: 0.2 } }\n"
              "model { mlp { hidden: 16 } }\noptimizer { learning_rate: 0.1 }\n"
              "training { batch_size: 32 }\ncluster { servers: 2 workers: 2 }\n");
  }
  std::vector<std::string> Train(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "train", job_, "--run-dir", run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::vector<std::string> Endless(std::vector<std::string> more) const {
    more.insert(more.end(), {"--epochs", "1000000", "--set", "training.validate_every_epochs=50"});
    return Train(more);
  }
  // The port in the line that has `what`.
  static uint16_t PortAfter(const std::string& output, const std::string& what) {
    const size_t at = output.find(what);
    EXPECT_NE(at, std::string::npos) << output;
    const size_t colon = output.find(':', output.find("//", at));
    return static_cast<uint16_t>(std::stoi(output.substr(colon + 1)));
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
};

TEST_F(MonitoringCommandTest, EveryProcessServesMetricsWhileTheJobTrains) {
  const uint16_t base = FreePorts(5);
  Program job(Endless({"--metrics-port", std::to_string(base)}));
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  EXPECT_THAT(job.Output(), HasSubstr("metrics for Prometheus: " + run_ + "/metrics_targets.json"));
  EXPECT_THAT(job.Output(), Not(HasSubstr("warning")));
  const std::string coordinator = HttpGet(base, "/metrics").body;
  EXPECT_THAT(coordinator, HasSubstr("convoy_job_phase{rank=\"0\",role=\"coordinator\"} 1\n"));
  EXPECT_THAT(coordinator, HasSubstr("convoy_job_processes{rank=\"0\",role=\"coordinator\"} 4\n"));
  EXPECT_THAT(coordinator, HasSubstr("convoy_training_loss{"));
  for (const uint16_t rank : {uint16_t{0}, uint16_t{1}}) {
    const std::string label = "{rank=\"" + std::to_string(rank) + "\",role=\"";
    const std::string server = HttpGet(static_cast<uint16_t>(base + 1 + rank), "/metrics").body;
    EXPECT_THAT(server, HasSubstr("convoy_server_received_bytes_total" + label + "server\"} "));
    EXPECT_THAT(server, HasSubstr("convoy_process_cpu_seconds_total" + label + "server\"} "));
    const std::string worker = HttpGet(static_cast<uint16_t>(base + 3 + rank), "/metrics").body;
    EXPECT_THAT(worker, HasSubstr("convoy_worker_examples_total" + label + "worker\"} "));
    EXPECT_THAT(worker, Not(HasSubstr("convoy_worker_examples_total" + label + "worker\"} 0\n")));
  }
  const json targets = json::parse(ReadFile(run_ + "/metrics_targets.json"));
  EXPECT_EQ(targets[0]["targets"].size(), 5u);
  EXPECT_EQ(targets[0]["labels"]["convoy_job"], "toys");
  job.Signal(SIGINT);
  EXPECT_EQ(job.Wait().exit_code, 130);
  EXPECT_EQ(HttpGet(base, "/metrics").status, 0) << "nobody is there any more";
}

TEST_F(MonitoringCommandTest, InOneProcessEachRoleServesItsOwn) {
  const uint16_t base = FreePorts(2);
  Program job(Endless({"--mode", "single", "--metrics-port", std::to_string(base)}));
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  EXPECT_THAT(HttpGet(base, "/metrics").body, HasSubstr("convoy_job_phase"));
  EXPECT_THAT(HttpGet(static_cast<uint16_t>(base + 1), "/metrics").body,
              HasSubstr("role=\"worker\""));
}

TEST_F(MonitoringCommandTest, ABusyPortIsNamedAndTheJobGoesOn) {
  const TakenPort taken;
  const ProgramResult result = RunProgram(Train({"--metrics-port", std::to_string(taken.port())}));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("warning: ports of cluster.metrics_port are in use: " +
                        std::to_string(taken.port()) + " (coordinator 0: the port is in use)"));
  EXPECT_THAT(ReadFile(run_ + "/logs/coordinator-0.log"), HasSubstr("no metrics of this process"));
}

TEST_F(MonitoringCommandTest, WithoutMetricsThereIsNothing) {
  const ProgramResult result = RunProgram(Train({}));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_FALSE(std::filesystem::exists(run_ + "/metrics_targets.json"));
  EXPECT_THAT(result.output, Not(HasSubstr("metrics for")));
}

TEST_F(MonitoringCommandTest, PortsAndAddressesThatCannotBeAreRefused) {
  const ProgramResult port = RunProgram(Train({"--metrics-port", "65533"}));
  EXPECT_EQ(port.exit_code, 2);
  EXPECT_THAT(port.output, HasSubstr("at most 65531 with this cluster"));
  const ProgramResult address =
      RunProgram(Train({"--metrics-port", "9400", "--set", "cluster.metrics_address=localhost"}));
  EXPECT_EQ(address.exit_code, 2);
  EXPECT_THAT(address.output, HasSubstr("cluster.metrics_address must be an IPv4 address"));
  EXPECT_FALSE(std::filesystem::exists(run_));
}

TEST_F(MonitoringCommandTest, TheDashboardShowsTheJobWhileItTrains) {
  Program job(Endless({"--dashboard"}));
  ASSERT_TRUE(job.WaitForOutput("examples/s")) << job.Output();
  const uint16_t port = PortAfter(job.Output(), "dashboard: ");
  EXPECT_THAT(HttpGet(port, "/").body, HasSubstr("window.convoyDashboard"));
  json data;
  for (int i = 0; i < 1000 && (!data.contains("samples") || data["samples"].size() < 2); ++i) {
    data = json::parse(HttpGet(port, "/data").body);
  }
  EXPECT_EQ(data["job"], "toys");
  EXPECT_EQ(data["mode"], "sync");
  EXPECT_EQ(data["state"], "training");
  EXPECT_EQ(data["workers"].size(), 2u);
  EXPECT_EQ(data["servers"].size(), 2u);
  EXPECT_GT(data["events"].size(), 0u);
  EXPECT_EQ(HttpGet(port, "/data", "POST").status, 405);
}

TEST_F(MonitoringCommandTest, ADashboardThatCannotBeIsRefusedBeforeAnythingStarts) {
  const TakenPort taken;
  const ProgramResult busy = RunProgram(Train({"--dashboard", std::to_string(taken.port())}));
  EXPECT_EQ(busy.exit_code, 2);
  EXPECT_THAT(busy.output, HasSubstr("the port is in use"));
  for (const char* odd : {"x", "70000", "host:80", "1:2:3"}) {
    const ProgramResult result = RunProgram(Train({"--dashboard", odd}));
    EXPECT_EQ(result.exit_code, 2) << odd;
    EXPECT_THAT(result.output, HasSubstr("--dashboard: want a port")) << odd;
  }
  EXPECT_FALSE(std::filesystem::exists(run_));
}

}  // namespace
}  // namespace convoy::testing
