// `convoy train` as a user meets it: what it writes and prints, how it ends.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "common/files/safetensors_reader.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using nlohmann::json;

class TrainCommandTest : public ::testing::Test {
 protected:
  TrainCommandTest() {
    images_ = WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteJob("epochs: 2 batch_size: 32", "servers: 2 workers: 2");
  }

  void WriteJob(const std::string& training, const std::string& cluster,
                const std::string& more = "") {
    WriteFile(job_,
              "data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" validation { fraction: "
              "0.2 } }\n"
              "model { mlp { hidden: 16 } }\n"
              "optimizer { momentum {} learning_rate: 0.1 }\n"
              "training { " +
                  training + " }\ncluster { " + cluster + " }\n" + more);
  }

  std::vector<std::string> Train(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "train", job_, "--run-dir", run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  json Summary() const { return json::parse(ReadFile(run_ + "/summary.json")); }

  // Pids of the children named in cluster.json, which appear when they are started.
  std::vector<pid_t> Children() const {
    std::vector<pid_t> pids;
    const json cluster = json::parse(ReadFile(run_ + "/cluster.json"));
    for (const json& process : cluster["processes"]) {
      pids.push_back(process["pid"].get<pid_t>());
    }
    return pids;
  }

  static bool Alive(pid_t pid) {
    const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    const size_t end = stat.rfind(')');
    return end != std::string::npos && stat[end + 2] != 'Z';
  }

  bool AllGoneSoon() const {
    for (pid_t pid : Children()) {
      for (int i = 0; i < 500 && Alive(pid); ++i) usleep(10000);
      if (Alive(pid)) return false;
    }
    return true;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string run_ = folder_ / "run";
  std::string images_;
};

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

TEST_F(TrainCommandTest, CtrlCStopsInOrderSavesTheModelAndExits130) {
  for (const char* mode : {"sync", "async"}) {
    std::filesystem::remove_all(run_);
    WriteJob("epochs: 100000 batch_size: 32 report_every_steps: 5", "servers: 2 workers: 2");
    Program program(Train({"--mode", mode, "--set", "training.validate_every_epochs=0"}));
    ASSERT_TRUE(program.WaitForOutput("worker 1  pid "));
    for (int i = 0; i < 3000 && ReadFile(run_ + "/events.jsonl").empty(); ++i) usleep(10000);
    program.Signal(SIGINT);
    const ProgramResult result = program.Wait();
    EXPECT_EQ(result.exit_code, 130) << result.output;
    EXPECT_TRUE(std::filesystem::exists(run_ + "/model.safetensors")) << result.output;
    EXPECT_EQ(Summary()["stopped_early"], true);
    EXPECT_TRUE(AllGoneSoon());
  }
}

TEST_F(TrainCommandTest, WithoutRestartsAKilledProcessIsNamedWithItsSignalAndEndsTheJob) {
  WriteJob("epochs: 100000 batch_size: 32 report_every_steps: 5",
           "servers: 1 workers: 2 max_restarts: 0");
  for (size_t victim : {0u, 1u, 2u}) {  // coordinator, server 0, worker 0
    std::filesystem::remove_all(run_);
    Program program(Train());
    ASSERT_TRUE(program.WaitForOutput("worker 1  pid "));
    for (int i = 0; i < 3000 && ReadFile(run_ + "/events.jsonl").empty(); ++i) usleep(10000);
    kill(Children()[victim], SIGKILL);
    const ProgramResult result = program.Wait();
    EXPECT_EQ(result.exit_code, 137) << result.output;
    EXPECT_NE(result.output.find("was killed by SIGKILL"), std::string::npos) << result.output;
    EXPECT_TRUE(AllGoneSoon());
  }
}

TEST_F(TrainCommandTest, AFrozenProcessIsNamedInBoundedTime) {
  struct Case {
    size_t frozen;  // position in cluster.json
    const char* timeout;
    const char* named;
  };
  for (const Case& c :
       {Case{3, "cluster.wait_timeout_ms=1500", "for slice 1 of worker 1 (last heard"},
        Case{1, "cluster.lost_after_ms=2000", "server 0 was not heard of for"},
        Case{3, "cluster.lost_after_ms=2000", "worker 1 was not heard of for"}}) {
    std::filesystem::remove_all(run_);
    WriteJob("epochs: 100000 batch_size: 32 report_every_steps: 5",
             "servers: 1 workers: 2 max_restarts: 0");
    Program program(Train({"--set", c.timeout}));
    ASSERT_TRUE(program.WaitForOutput("worker 1  pid "));
    for (int i = 0; i < 3000 && ReadFile(run_ + "/events.jsonl").empty(); ++i) usleep(10000);
    kill(Children()[c.frozen], SIGSTOP);
    const ProgramResult result = program.Wait(std::chrono::seconds(30));
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_NE(result.output.find(c.named), std::string::npos) << result.output;
    EXPECT_TRUE(AllGoneSoon());
  }
}

TEST_F(TrainCommandTest, ChildrenDieWithALauncherThatIsKilled) {
  WriteJob("epochs: 100000 batch_size: 32", "servers: 2 workers: 2");
  Program program(Train());
  ASSERT_TRUE(program.WaitForOutput("worker 1  pid "));
  kill(program.pid(), SIGKILL);
  EXPECT_EQ(program.Wait().exit_code, 137);
  EXPECT_TRUE(AllGoneSoon());
}

TEST_F(TrainCommandTest, BadJobFilesAndUsageExitWith2AndSayWhere) {
  WriteFile(job_,
            "data { train: \"toy-images-idx3-ubyte\" }\nmodel { mlp {} }\noptimizer {\n  "
            "learning_rate: -1\n}\n");
  ProgramResult result = RunProgram(Train());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("job.textproto:4: optimizer.learning_rate must be > 0, got -1"),
            std::string::npos)
      << result.output;
  result = RunProgram({CONVOY_BINARY, "trian", job_});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  result = RunProgram({CONVOY_BINARY, "train", folder_ / "none.textproto"});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  WriteJob("epochs: 1", "servers: 1");
  result = RunProgram(Train({"--mode", "asynch"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("async"), std::string::npos) << result.output;
}

TEST_F(TrainCommandTest, ADamagedDataFileEndsTheJobWith1AndNamesFileAndReason) {
  const std::string bytes = ReadFile(images_);
  WriteFile(images_, bytes.substr(0, bytes.size() / 2));
  const ProgramResult result = RunProgram(Train());
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("toy-images-idx3-ubyte"), std::string::npos) << result.output;
}

TEST_F(TrainCommandTest, LabelsOutOfRangeAreNamed) {
  WriteJob("epochs: 1", "servers: 1");
  const ProgramResult result = RunProgram(Train({"--set", "model.classes=3"}));
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("label"), std::string::npos) << result.output;
}

TEST_F(TrainCommandTest, AnExplodingTrainingIsRejectedNamingVariableWorkerAndStepOrSkipped) {
  WriteJob("epochs: 3 batch_size: 32", "servers: 2 workers: 2");
  const std::vector<std::string> explode = {"--set", "model={linear_regression {}}", "--set",
                                            "optimizer.learning_rate=1e30"};
  ProgramResult result = RunProgram(Train(explode));
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_TRUE(
      std::regex_search(result.output, std::regex("gradient of \"head/[a-z]+\" block 0 from worker "
                                                  "[01] at step [0-9]+ is not a finite number")))
      << result.output;
  std::filesystem::remove_all(run_);
  std::vector<std::string> skip = explode;
  skip.insert(skip.end(), {"--set", "training.nan_policy=SKIP"});
  result = RunProgram(Train(skip));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const json skipped = Summary()["skipped_gradients"];
  EXPECT_GT(skipped, 0);
  // Two threads of one worker skip the same slices.
  std::filesystem::remove_all(run_);
  skip.insert(skip.end(), {"--workers", "1", "--set", "cluster.threads_per_worker=2"});
  result = RunProgram(Train(skip));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Summary()["skipped_gradients"], skipped);
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

TEST_F(TrainCommandTest, APortInUseAndAForeignAddressAreRefusedWithAReason) {
  Program first({CONVOY_BINARY, "coordinator", job_, "--run-dir", run_});
  ASSERT_TRUE(first.WaitForOutput("waiting for"));
  std::smatch match;
  const std::string output = first.Output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("listens on (127.0.0.1:[0-9]+)")));
  ProgramResult result = RunProgram(
      {CONVOY_BINARY, "coordinator", job_, "--run-dir", folder_ / "other", "--listen", match[1]});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("in use"), std::string::npos) << result.output;
  result = RunProgram({CONVOY_BINARY, "server", "--coordinator", match[1], "--listen", match[1]});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("in use"), std::string::npos) << result.output;
  result =
      RunProgram({CONVOY_BINARY, "server", "--coordinator", match[1], "--listen", "0.0.0.0:0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("--insecure-listen"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace convoy::testing
