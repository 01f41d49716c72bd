// Jobs that are asked from outside to save or to stop: with `convoy control`, and by signals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "tests/testing/await_epoch.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kStopped = 128 + SIGTERM;

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string examples;
    for (int i = 0; i < 2000; ++i) absl::StrAppend(&examples, i % 2, " ", 1 + i % 7, ":1 9:0.5\n");
    WriteFile(folder_ / "train.libsvm", examples);
  }

  // Long enough to be asked.
  std::vector<std::string> Train(const std::string& mode, const std::string& more = "") {
    WriteFile(folder_ / "job.textproto",
              absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
                           "model { mlp { hidden: 8 } classes: 2 }\n"
                           "training { mode: \"",
                           mode,
                           "\" epochs: 100000 batch_size: 40 }\n"
                           "cluster { servers: 2 workers: 2 }\n",
                           more));
    return {CONVOY_BINARY, "train", folder_ / "job.textproto", "--run-dir", run_};
  }
  ProgramResult Control(const std::string& request) {
    return RunProgram({CONVOY_BINARY, "control", run_, request});
  }
  std::vector<StoredCheckpoint> Checkpoints() {
    auto stored = ListCheckpoints(run_ + "/checkpoints");
    EXPECT_TRUE(stored.ok()) << stored.status();
    return stored.ok() ? *std::move(stored) : std::vector<StoredCheckpoint>();
  }
  nlohmann::json Summary() { return nlohmann::json::parse(ReadFile(run_ + "/summary.json")); }

  TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
};

TEST_F(ControlTest, ACheckpointIsCompleteWhenTheCommandEnds) {
  for (const char* mode : {"sync", "local_sgd:2", "async", "ssp:2", "single"}) {
    SCOPED_TRACE(mode);
    std::filesystem::remove_all(run_);
    Program program(Train(mode));
    ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
    const ProgramResult saved = Control("checkpoint");
    ASSERT_EQ(saved.exit_code, 0) << saved.output;
    const std::vector<StoredCheckpoint> stored = Checkpoints();
    ASSERT_EQ(stored.size(), 1u);
    EXPECT_TRUE(VerifyCheckpoint(stored[0].path).ok());
    EXPECT_THAT(saved.output, HasSubstr(absl::StrCat("saved ", stored[0].path)));
    EXPECT_THAT(saved.output, HasSubstr(absl::StrCat("step   ", stored[0].step, "\n")));
    const ProgramResult again = Control("checkpoint");
    ASSERT_EQ(again.exit_code, 0) << again.output;
    EXPECT_GT(Checkpoints().back().step, stored[0].step);
    const ProgramResult stopped = Control("stop");
    EXPECT_EQ(stopped.exit_code, 0) << stopped.output;
    EXPECT_EQ(program.Wait().exit_code, kStopped);
  }
}

TEST_F(ControlTest, AStopSavesAndTheTrainingLeavesAsAfterSigterm) {
  Program program(Train("sync"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  const ProgramResult stopped = Control("stop");
  ASSERT_EQ(stopped.exit_code, 0) << stopped.output;
  EXPECT_EQ(program.Wait().exit_code, kStopped);
  ASSERT_EQ(Checkpoints().size(), 1u);
  EXPECT_EQ(Summary()["steps"], Checkpoints()[0].step);
  EXPECT_EQ(Summary()["stopped_early"], true);
  EXPECT_THAT(stopped.output,
              HasSubstr(absl::StrCat("stopped after step ", Checkpoints()[0].step)));
  EXPECT_THAT(stopped.output, HasSubstr(Checkpoints()[0].path));
  const ProgramResult resumed =
      RunProgram({CONVOY_BINARY, "train", folder_ / "job.textproto", "--run-dir", run_, "--resume",
                  "--set", absl::StrCat("training.max_steps=", Checkpoints()[0].step + 10)});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
}

// A server that stands still keeps the job from stopping in order.
TEST_F(ControlTest, ASecondSignalEndsTheTrainingAtOnce) {
  Program program(Train("sync", "checkpoint { every_steps: 100 }\n"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
    if (child.role == "server") kill(child.pid, SIGSTOP);
  }
  program.Signal(SIGINT);
  ASSERT_TRUE(program.WaitForOutput("once more to stop at once"));
  program.Signal(SIGINT);
  const ProgramResult result = program.Wait(std::chrono::seconds(30));
  EXPECT_EQ(result.exit_code, 128 + SIGINT) << result.output;
  EXPECT_THAT(result.output, HasSubstr("have ended; the same command with --resume"));
}

// It is told when it answers again.
TEST_F(ControlTest, AStopReachesACoordinatorThatStoodStill) {
  Program program(Train("sync"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  pid_t coordinator = 0;
  for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
    if (child.role == "coordinator") coordinator = child.pid;
  }
  kill(coordinator, SIGSTOP);
  program.Signal(SIGTERM);
  SleepMs(2500);
  kill(coordinator, SIGCONT);
  const ProgramResult result = program.Wait(std::chrono::seconds(60));
  EXPECT_EQ(result.exit_code, kStopped) << result.output;
  EXPECT_EQ(Summary()["stopped_early"], true);
  EXPECT_EQ(Checkpoints().size(), 1u);
}

TEST_F(ControlTest, ThreadsOfOneProcessAreAskedLikewise) {
  std::vector<std::string> command = Train("sync");
  command.push_back("--in-process");
  Program program(command);
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  EXPECT_EQ(Control("checkpoint").exit_code, 0);
  EXPECT_EQ(Control("stop").exit_code, 0);
  EXPECT_EQ(program.Wait().exit_code, kStopped);
}

TEST_F(ControlTest, WithoutAtEndAStopSaysThatItSavedNoCheckpointAndOneThatIsAskedForIsSaved) {
  Program program(Train("sync", "checkpoint { at_end: false }\n"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  EXPECT_EQ(Control("checkpoint").exit_code, 0);
  const ProgramResult stopped = Control("stop");
  EXPECT_EQ(stopped.exit_code, 0) << stopped.output;
  EXPECT_THAT(stopped.output, HasSubstr("checkpoint.at_end is false"));
  EXPECT_EQ(program.Wait().exit_code, kStopped);
  EXPECT_EQ(Checkpoints().size(), 1u);
}

TEST_F(ControlTest, ACheckpointThatCanNotBeSavedIsAnErrorWithItsCauseAndTheTrainingGoesOn) {
  Program program(Train("sync"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  WriteFile(run_ + "/checkpoints", "a file where the folder should be");
  const ProgramResult failed = Control("checkpoint");
  EXPECT_EQ(failed.exit_code, 1) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("the checkpoint could not be saved: server "));
  EXPECT_THAT(failed.output, HasSubstr("Not a directory"));
  std::filesystem::remove(run_ + "/checkpoints");
  EXPECT_EQ(Control("checkpoint").exit_code, 0);
  EXPECT_EQ(Control("stop").exit_code, 0);
  EXPECT_EQ(program.Wait().exit_code, kStopped);
}

TEST_F(ControlTest, WhoCanNotBeAskedIsSaid) {
  const ProgramResult none = Control("checkpoint");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("there is no run directory"));
  std::filesystem::create_directory(run_);
  const ProgramResult empty = Control("stop");
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.output, HasSubstr("there is no run in"));
  std::vector<std::string> command = Train("sync");
  command.insert(command.end(), {"--set", "training.max_steps=20"});
  ASSERT_EQ(RunProgram(command).exit_code, 0);
  const ProgramResult ended = Control("checkpoint");
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.output, HasSubstr("has ended"));
  const ProgramResult unknown = Control("pause");
  EXPECT_EQ(unknown.exit_code, 2);
}

TEST_F(ControlTest, ACoordinatorThatDoesNotAnswerIsNamedAndSoIsTheProcessOfTheRun) {
  Program program(Train("sync"));
  ASSERT_TRUE(AwaitEpoch(run_, 2)) << program.Output();
  const auto cluster = nlohmann::json::parse(ReadFile(run_ + "/cluster.json"));
  const pid_t coordinator = cluster["processes"][0]["pid"].get<pid_t>();
  ASSERT_EQ(cluster["processes"][0]["role"], "coordinator");
  kill(coordinator, SIGSTOP);
  const ProgramResult silent = Control("checkpoint");
  kill(coordinator, SIGCONT);
  EXPECT_EQ(silent.exit_code, 1) << silent.output;
  EXPECT_THAT(silent.output, HasSubstr("coordinator at 127.0.0.1:"));
  EXPECT_THAT(silent.output, HasSubstr(absl::StrCat("process ", program.pid())));
  program.Signal(SIGTERM);
  program.Wait();
}

}  // namespace
}  // namespace convoy::testing
