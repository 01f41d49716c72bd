// Processes of a job that are killed while it runs: the launcher starts all of them again from the
// newest checkpoint, and the job ends as if nothing had happened. See also replacement_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/restart_fixture.h"
#include "tests/testing/cell_counts.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(RestartTest, WithoutItsJournalTheJobStartsAgainFromTheCheckpoint) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"checkpoint\"")) << program.Wait().output;
  std::string journal = ReadFile(folder_ / "run/coordinator.journal");
  ASSERT_GT(journal.size(), 1000u);
  journal[500] = static_cast<char>(journal[500] ^ 1);
  WriteFile(folder_ / "run/coordinator.journal", journal);
  Kill(program, "coordinator");
  const ProgramResult result = program.Wait();
  ExpectSameAs("alone", "run", result);
  EXPECT_THAT(result.output, HasSubstr("coordinator.journal\" is damaged at byte "));
  EXPECT_THAT(result.output, HasSubstr("starting again from the checkpoint of step "));
}

TEST_F(RestartTest, AnyProcessesAtAnyMomentAlsoWhileOthersStartAgain) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  RandomMoments moments;
  Program program(Command("run"));
  for (int i = 0; i < 8; ++i) {
    const std::vector<LaunchedChild> children = LaunchedChildren(program.pid());
    moments.Pass(500);
    for (const LaunchedChild& child : children) {
      pids_.insert(child.pid);
      if (moments.Draw(3) != 0) continue;
      moments.Note(child.role);
      kill(child.pid, SIGKILL);
    }
  }
  SCOPED_TRACE(moments.text());
  ExpectSameAs("alone", "run", program.Wait());
}

TEST_F(RestartTest, AllAtOnceAndTheNextOnesAsSoonAsTheyAreThere) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"checkpoint\"")) << program.Wait().output;
  EXPECT_EQ(Kill(program, ""), 5u);
  size_t restarts = 1;
  for (const char* role : {"coordinator", "server", "worker"}) {
    AwaitRestarts(program, restarts++);
    // The new ones, still registering, reading data or restoring.
    for (int i = 0; i < 5000 && Kill(program, role, SIGKILL, 1) == 0; ++i) SleepMs(2);
  }
  const ProgramResult result = program.Wait();
  ExpectSameAs("alone", "run", result);
  // The last one may have come to its work already.
  EXPECT_EQ(Summary("run").value("restarts", 0) + Summary("run").value("workers_replaced", 0), 4)
      << result.output;
  EXPECT_THAT(result.output, HasSubstr("in a row without getting further; in "));
}

TEST_F(RestartTest, WhileTheEndIsSaved) {
  WriteJob("sync", "every_steps: 300");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  for (const char* role : {"server", "worker", "coordinator"}) {
    RandomMoments moments;
    Program program(Command(role));
    ASSERT_TRUE(AwaitEvent(role, absl::StrCat("\"step\":", kExamples * kEpochs / 20 - 40, ",")))
        << program.Wait().output;
    moments.Pass(60);
    Kill(program, role, SIGKILL, 1);
    SCOPED_TRACE(absl::StrCat(role, ", ", moments.text()));
    ExpectSameAs("alone", role, program.Wait());
  }
}

TEST_F(RestartTest, WithoutACheckpointTheJobBeginsAnewAndNoStepIsDrawnTwice) {
  WriteJob("sync", "at_end: false");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"step\":100,")) << program.Wait().output;
  Kill(program, "server", SIGKILL, 1);
  const ProgramResult result = program.Wait();
  ExpectSameAs("alone", "run", result);
  EXPECT_THAT(result.output, HasSubstr("starting again from the beginning"));
  EXPECT_THAT(ReadFile(folder_ / "run/logs/worker-0.log"), HasSubstr("---- restart 1 ----"));
  uint64_t generation = 0, restarts = 0, step = 0;
  const std::string events = Events("run");
  for (const auto& line : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
    const auto event = nlohmann::json::parse(std::string(line));
    ASSERT_GE(event["generation"].get<uint64_t>(), generation);
    if (event["kind"] == "restart") {
      ++restarts;
      EXPECT_GT(event["generation"].get<uint64_t>(), generation);
      EXPECT_THAT(event["cause"].get<std::string>(), HasSubstr("was killed by SIGKILL"));
      step = event["step"].get<uint64_t>();
    } else if (event["kind"] == "train") {
      EXPECT_EQ(event["step"].get<uint64_t>(), step + 20);
      step = event["step"].get<uint64_t>();
    }
    generation = event["generation"].get<uint64_t>();
  }
  EXPECT_EQ(restarts, 1u);
}

TEST_F(RestartTest, ADamagedCheckpointIsNamedAndTheOneBeforeIsUsed) {
  WriteJob("sync", "every_steps: 400");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  Program program(Command("run"));
  const std::string file = folder_ / "run/checkpoints/step-00000800/server-0-of-2.safetensors";
  for (int i = 0; i < 30000 && !std::filesystem::exists(file); ++i) SleepMs(2);
  std::string bytes = ReadFile(file);
  ASSERT_FALSE(bytes.empty()) << program.Wait().output;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFile(file, bytes);
  Kill(program, "server", SIGKILL, 1);
  const ProgramResult result = program.Wait();
  ExpectSameAs("alone", "run", result);
  EXPECT_THAT(result.output, HasSubstr("warning: "));
  EXPECT_THAT(result.output, HasSubstr("server-0-of-2.safetensors"));
  EXPECT_THAT(result.output, HasSubstr("starting again from the checkpoint of step 400"));
}

TEST_F(RestartTest, InModesWithoutStepsEveryCellCountsEveryBatchOnce) {
  for (const char* mode : {"async", "ssp:2"}) {
    WriteJob(mode, "every_steps: 50");
    const std::string run = mode;
    RandomMoments moments;
    Program program(Command(run));
    ASSERT_TRUE(AwaitEvent(run, "\"checkpoint\"")) << program.Wait().output;
    for (const std::string role : {"worker", "server", "coordinator"}) {
      moments.Pass(role == "worker" ? 100 : 700);  // the job is not done by then
      Kill(program, role, SIGKILL, 1);
    }
    const ProgramResult result = program.Wait();
    SCOPED_TRACE(absl::StrCat(mode, ", ", moments.text(), "\n", result.output));
    ASSERT_EQ(result.exit_code, 0);
    EXPECT_GE(Summary(run).value("restarts", 0), 1);
    EXPECT_EQ(Summary(run)["examples"], kExamples * kEpochs);
    ExpectAllExamplesInAllCells(folder_ / run, kExamples * kEpochs);
    EXPECT_TRUE(NobodyIsLeft());
  }
}

TEST_F(RestartTest, AWorkerThatAlwaysDiesEndsTheJobWithAWordOnHowOften) {
  WriteJob("sync", "every_steps: 50", "max_restarts: 2");
  Program program(Command("run"));
  const auto deadline = Clock::now() + std::chrono::minutes(1);
  std::thread killer([&] {
    while (Clock::now() < deadline && kill(program.pid(), 0) == 0) {
      Kill(program, "worker", SIGKILL, 1);
      SleepMs(5);
      if (std::filesystem::exists(folder_ / "run/summary.json")) return;
    }
  });
  killer.join();
  const ProgramResult result = program.Wait();
  EXPECT_EQ(result.exit_code, 128 + SIGKILL) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the job was started again 2 times in a row without getting "
                                       "further than before, and is given up "
                                       "(cluster.max_restarts: 2)"));
  EXPECT_THAT(result.output, HasSubstr("its log is "));
  EXPECT_THAT(Summary("run")["failure"].get<std::string>(), HasSubstr("was killed by SIGKILL"));
  EXPECT_TRUE(NobodyIsLeft());
}

TEST_F(RestartTest, ARequestToEndEndsAJobThatIsStartingAgain) {
  WriteJob("sync", "every_steps: 50");
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"checkpoint\"")) << program.Wait().output;
  Kill(program, "");
  // Until the delay before the next restart is long enough.
  while (program.Output().find("number 4 of at most 10") == std::string::npos) {
    Kill(program, "");
    SleepMs(10);
  }
  program.Signal(SIGTERM);
  const ProgramResult result = program.Wait();
  EXPECT_EQ(result.exit_code, 128 + SIGTERM) << result.output;
  EXPECT_THAT(result.output, HasSubstr("--resume"));
  EXPECT_TRUE(NobodyIsLeft());
  const ProgramResult resumed = RunProgram(Command("run", {"--resume"}));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
}

TEST_F(RestartTest, AJobThatFailsByItselfIsNotStartedAgain) {
  WriteJob("sync", "every_steps: 50");
  const ProgramResult result =
      RunProgram(Command("run", {"--set", "optimizer={sgd {} learning_rate: 1e30}"}));
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("not a finite number"));
  EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
}

}  // namespace
}  // namespace convoy::testing
