// A worker in another language, written from the documentation alone (examples/python_client),
// trains with Convoy's coordinator and servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "common/files/safetensors_reader.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::FloatNear;

const std::string kExample = std::string(CONVOY_SOURCE) + "/examples/python_client";

class PythonClientTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const ProgramResult modules =
        RunProgram({"/usr/bin/python3", "-c", "import grpc, google.protobuf"});
    if (modules.exit_code != 0) {
      GTEST_SKIP() << "needs python3-grpcio and python3-protobuf: " << modules.output;
    }
  }

  // A coordinator of the example's job; its address.
  std::string StartCoordinator() {
    Start({CONVOY_BINARY, "coordinator", kExample + "/job.textproto", "--run-dir", run_, "--mode",
           GetParam()});
    EXPECT_TRUE(programs_[0]->WaitForOutput("waiting for"));
    const std::string output = programs_[0]->Output();
    std::smatch match;
    EXPECT_TRUE(std::regex_search(output, match, std::regex("listens on (127.0.0.1:[0-9]+)")))
        << output;
    return match[1];
  }

  void Start(const std::vector<std::string>& arguments) {
    programs_.push_back(std::make_unique<Program>(arguments));
  }

  void ExpectAllExitWell() {
    for (const auto& program : programs_) {
      const ProgramResult result = program->Wait();
      EXPECT_EQ(result.exit_code, 0) << result.output;
    }
  }

  std::vector<double> TrainingLosses() const {
    std::vector<double> losses;
    std::istringstream events(ReadFile(run_ + "/events.jsonl"));
    for (std::string line; std::getline(events, line);) {
      const json event = json::parse(line);
      if (event["kind"] == "train") losses.push_back(event["loss"]);
    }
    return losses;
  }

  static std::vector<float> Tensor(const SafetensorsReader& file, const std::string& name) {
    const absl::StatusOr<AlignedBuffer> values = file.Read(name);
    EXPECT_TRUE(values.ok()) << values.status();
    return values.ok() ? std::vector<float>(values->span().begin(), values->span().end())
                       : std::vector<float>();
  }

  TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
  std::vector<std::unique_ptr<Program>> programs_;
};

TEST_P(PythonClientTest, LearnsThePlaneTogetherWithConvoysServers) {
  const std::string address = StartCoordinator();
  for (int i = 0; i < 2; ++i) {
    Start({"/usr/bin/python3", kExample + "/client.py", "--coordinator", address});
    Start({CONVOY_BINARY, "server", "--coordinator", address});
  }
  ExpectAllExitWell();

  const std::vector<double> losses = TrainingLosses();
  ASSERT_GE(losses.size(), 2u);
  EXPECT_LT(losses.back(), 0.01 * losses.front());
  const auto model = SafetensorsReader::Open(run_ + "/model.safetensors");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(Tensor(**model, "head/weight"),
              ElementsAre(FloatNear(2, 0.02f), FloatNear(-3, 0.02f)));
  EXPECT_THAT(Tensor(**model, "head/bias"), ElementsAre(FloatNear(0.5f, 0.02f)));

  const json summary = json::parse(ReadFile(run_ + "/summary.json"));
  EXPECT_EQ(summary["examples"], 20 * 240);
  for (const json& process : summary["processes"]) {
    EXPECT_EQ(process.contains("foreign"), process["role"] == "worker");
  }
  const ProgramResult metrics =
      RunProgram({CONVOY_BINARY, "evaluate", run_, "--data", kExample + "/points.libsvm"});
  ASSERT_EQ(metrics.exit_code, 0) << metrics.output;
  EXPECT_LT(json::parse(metrics.output)["rmse"], 0.02);
}

INSTANTIATE_TEST_SUITE_P(Modes, PythonClientTest, ::testing::Values("sync", "async"),
                         [](const auto& mode) { return mode.param; });

}  // namespace
}  // namespace convoy::testing
