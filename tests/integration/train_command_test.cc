// `convoy train` as a user meets it: what it trains, writes and prints. How it fails and is stopped
// see train_failure_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "tests/integration/train_command_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using nlohmann::json;

TEST_F(TrainCommandTest, WritesTheRunDirectoryAndPrintsProcessesResultsAndNextCommands) {
  const ProgramResult result = RunProgram(Train());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const char* file : {"job.textproto", "cluster.json", "events.jsonl", "summary.json",
                           "model.safetensors", "logs/coordinator-0.log", "logs/server-0.log",
                           "logs/server-1.log", "logs/worker-0.log", "logs/worker-1.log"}) {
    EXPECT_TRUE(std::filesystem::exists(run_ + "/" + file)) << file;
  }
  EXPECT_NE(result.output.find("worker 1  pid "), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("evaluate"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find(" train " + job_ + " --mode async"), std::string::npos);

  const json summary = Summary();
  EXPECT_EQ(summary["mode"], "sync");
  EXPECT_EQ(summary["steps"], 20);  // 320 examples / 32, twice
  EXPECT_EQ(summary["examples"], 640);
  EXPECT_GT(summary["validation"]["accuracy"], 0.9);
  EXPECT_EQ(summary["processes"].size(), 4u);
  EXPECT_GT(summary["bytes_sent"], 640);

  std::ifstream events(run_ + "/events.jsonl");
  std::map<std::string, int> kinds;
  for (std::string line; std::getline(events, line);) ++kinds[json::parse(line)["kind"]];
  EXPECT_GE(kinds["train"], 2);
  EXPECT_EQ(kinds["validation"], 2);
  EXPECT_EQ(kinds["checkpoint"], 1) << "at the end";
  const std::string resolved = ReadFile(run_ + "/job.textproto");
  for (const char* spelled : {"features: 64", "classes: 4", "momentum: 0.9", "slices: 2"}) {
    EXPECT_NE(resolved.find(spelled), std::string::npos) << spelled << "\n" << resolved;
  }
  EXPECT_TRUE(AllGoneSoon());
}

TEST_F(TrainCommandTest, AJobThatGoesOnSaysInWhichEpochAndWhatIsNew) {
  const ProgramResult fifteen = RunProgram(Train({"--set", "training.max_steps=15"}));
  ASSERT_EQ(fifteen.exit_code, 0) << fifteen.output;
  EXPECT_NE(fifteen.output.find(" train " + run_ + "/job.textproto --mode async"),
            std::string::npos)
      << "not the job without the flag\n"
      << fifteen.output;
  EXPECT_EQ(Summary()["new_examples"], 480);
  const ProgramResult resumed = RunProgram(Train({"--resume"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_EQ(Summary()["examples"], 640);
  EXPECT_EQ(Summary()["new_examples"], 160);
  std::ifstream events(run_ + "/events.jsonl");
  json resume;
  for (std::string line; std::getline(events, line);) {
    if (json event = json::parse(line); event["kind"] == "resume") resume = event;
  }
  EXPECT_EQ(resume["step"], 15);
  EXPECT_EQ(resume["epoch"], 1.5);
}

// A rate that bears gradients that are some updates old: which ones are is up to the processes'
// timing.
TEST_F(TrainCommandTest, AsyncAndSspTrainEveryExampleOnceAnEpoch) {
  for (const char* mode : {"async", "ssp:2"}) {
    std::filesystem::remove_all(run_);
    const ProgramResult result =
        RunProgram(Train({"--mode", mode, "--set", "optimizer.adagrad={}", "--set",
                          "optimizer.learning_rate=0.02", "--set", "training.epochs=6"}));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(Summary()["examples"], 6 * 320) << mode;
    EXPECT_EQ(Summary()["mode"], mode);
    EXPECT_GT(Summary()["validation"]["accuracy"], 0.9) << mode;
  }
}

TEST_F(TrainCommandTest, ThreadsOfAWorkerTrainEveryExampleOnceAndPushTheirSum) {
  for (const char* mode : {"async", "ssp:2", "geo:2"}) {
    json of_workers;
    for (const char* threads : {"1", "2", "3"}) {
      SCOPED_TRACE(std::string(mode) + ", threads " + threads);
      std::filesystem::remove_all(run_);
      const std::string workers = threads == std::string("1") ? "2" : "1";
      const ProgramResult result = RunProgram(Train(
          {"--mode", mode, "--servers", "1", "--workers", workers, "--set", "optimizer.adagrad={}",
           "--set", "optimizer.learning_rate=0.02", "--set", "training.epochs=6", "--set",
           std::string("cluster.threads_per_worker=") + threads}));
      ASSERT_EQ(result.exit_code, 0) << result.output;
      EXPECT_EQ(Summary()["examples"], 6 * 320);
      EXPECT_GT(Summary()["validation"]["accuracy"], 0.9);
      EXPECT_EQ(Summary()["validation"]["examples"], 80);
      if (of_workers.is_null()) of_workers = Summary();
      // Batches of 32 of one worker in place of 16 of each of two: half the pushes.
      const int fold = threads == std::string("1") ? 1 : 2;
      EXPECT_EQ(Summary()["steps"].get<int>() * fold, of_workers["steps"].get<int>());
      EXPECT_LT(Summary()["bytes_sent"].get<double>(),
                1.1 * of_workers["bytes_sent"].get<double>() / fold);
    }
  }
}

// 3 examples a batch for 4 threads, a last batch of 2, and slices that may be dropped.
TEST_F(TrainCommandTest, FewerExamplesThanThreadsWork) {
  for (const char* mode : {"sync", "sync,backup=1", "async", "local_sgd:2", "geo:2", "single"}) {
    std::filesystem::remove_all(run_);
    const ProgramResult result =
        RunProgram(Train({"--mode", mode, "--workers", "2", "--set", "cluster.threads_per_worker=4",
                          "--set", "training.batch_size=3", "--set",
                          "optimizer.learning_rate=0.001", "--set", "training.epochs=1"}));
    ASSERT_EQ(result.exit_code, 0) << mode << result.output;
    EXPECT_EQ(Summary()["examples"], 320) << mode;
  }
}

TEST_F(TrainCommandTest, InProcessEndsWithTheSameBits) {
  ASSERT_EQ(RunProgram(Train()).exit_code, 0);
  const std::string model = ReadFile(run_ + "/model.safetensors");
  std::filesystem::remove_all(run_);
  const ProgramResult result = RunProgram(Train({"--in-process"}));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), model);
}

TEST_F(TrainCommandTest, MoreServersThanCellsAndSpareWorkersDoNotHang) {
  const ProgramResult result =
      RunProgram(Train({"--servers", "7", "--workers", "3", "--set", "training.slices=2"}));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Summary()["examples"], 640);
}

TEST_F(TrainCommandTest, FewerExamplesThanSlicesWork) {
  const ProgramResult result =
      RunProgram(Train({"--workers", "2", "--set", "training.slices=5", "--set",
                        "training.batch_size=3", "--set", "training.max_steps=20"}));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Summary()["steps"], 20);
  EXPECT_EQ(Summary()["examples"], 60);
}

TEST_F(TrainCommandTest, EvaluateAndPredictUseTheTrainedModel) {
  ASSERT_EQ(RunProgram(Train()).exit_code, 0);
  const ProgramResult metrics = RunProgram({CONVOY_BINARY, "evaluate", run_, "--data", images_});
  ASSERT_EQ(metrics.exit_code, 0) << metrics.output;
  EXPECT_GT(json::parse(metrics.output)["accuracy"], 0.9);
  const ProgramResult predictions =
      RunProgram({CONVOY_BINARY, "predict", run_, "--data", images_, "--out", folder_ / "out.csv"});
  ASSERT_EQ(predictions.exit_code, 0) << predictions.output;
  const std::string csv = ReadFile(folder_ / "out.csv");
  EXPECT_EQ(csv.substr(0, csv.find('\n')),
            "example,prediction,probability_0,probability_1,probability_2,probability_3");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 401);
}

TEST_F(TrainCommandTest, ARunThatIsNotThereIsBadUsageAndOneThatIsDamagedAFailure) {
  const auto evaluate = [this](const std::string& run) {
    const ProgramResult result = RunProgram({CONVOY_BINARY, "evaluate", run, "--data", images_});
    EXPECT_NE(result.output.find("convoy: "), std::string::npos) << result.output;
    return result.exit_code;
  };
  EXPECT_EQ(evaluate(run_), 2) << "there is no folder";
  EXPECT_EQ(evaluate(run_ + "@20"), 2);
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_EQ(evaluate(folder_ / "empty"), 2) << "it has no job.textproto";
  ASSERT_EQ(RunProgram(Train()).exit_code, 0);
  EXPECT_EQ(evaluate(run_ + "@7"), 2) << "it has a checkpoint of step 20 only";
  EXPECT_EQ(evaluate(run_ + "@best"), 2) << "it has none";
  WriteFile(run_ + "/model.safetensors", "damaged");
  EXPECT_EQ(evaluate(run_), 1);
  for (const auto& file :
       std::filesystem::directory_iterator(run_ + "/checkpoints/step-00000020")) {
    if (file.path().extension() == ".safetensors") WriteFile(file.path().string(), "damaged");
  }
  EXPECT_EQ(evaluate(run_ + "@20"), 1);
}

TEST_F(TrainCommandTest, RolesStartedByHandInAnyOrderTrainTheSameModel) {
  ASSERT_EQ(RunProgram(Train()).exit_code, 0);
  const std::string model = ReadFile(run_ + "/model.safetensors");
  std::filesystem::remove_all(run_);
  Program coordinator({CONVOY_BINARY, "coordinator", job_, "--run-dir", run_});
  ASSERT_TRUE(coordinator.WaitForOutput("waiting for"));
  std::smatch match;
  const std::string output = coordinator.Output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("listens on (127.0.0.1:[0-9]+)")));
  const std::string address = match[1];
  Program worker1({CONVOY_BINARY, "worker", "--coordinator", address});
  Program server1({CONVOY_BINARY, "server", "--coordinator", address});
  Program worker2({CONVOY_BINARY, "worker", "--coordinator", address});
  Program server2({CONVOY_BINARY, "server", "--coordinator", address});
  for (Program* program : {&worker1, &worker2, &server1, &server2, &coordinator}) {
    const ProgramResult result = program->Wait();
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_EQ(ReadFile(run_ + "/model.safetensors"), model);
}

}  // namespace
}  // namespace convoy::testing
