// `convoy train` that is stopped, loses a process, or is asked for what can't be done: how it ends,
// and what it says.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "tests/integration/train_command_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using nlohmann::json;

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
