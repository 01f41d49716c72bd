// Processes of a job that are killed or frozen while it runs: the launcher replaces a worker or the
// coordinator alone, and the job ends as if nothing had happened. See also restart_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/integration/restart_fixture.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(RestartTest, KilledProcessesOfAnyRoleChangeNoBitOfSync) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  for (const char* role : {"server", "worker", "coordinator"}) {
    RandomMoments moments;
    Program program(Command(role));
    ASSERT_TRUE(AwaitEvent(role, "\"checkpoint\"")) << program.Wait().output;
    for (int i = 0; i < 3; ++i) {
      moments.Pass(i == 0 ? 100 : 700);  // the job is not done by then
      Kill(program, role, SIGKILL, 1);
    }
    SCOPED_TRACE(absl::StrCat(role, ", ", moments.text()));
    const ProgramResult result = program.Wait();
    ExpectSameAs("alone", role, result);
    EXPECT_THAT(result.output, HasSubstr(absl::StrCat(role, " 0 (pid ")));
    if (role == std::string("worker")) {
      EXPECT_THAT(result.output,
                  HasSubstr("was killed by SIGKILL; the job waits for another worker 0"));
      EXPECT_THAT(result.output, HasSubstr("another worker 0 has come"));
      EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
      EXPECT_GE(Summary(role).value("workers_replaced", 0), 1) << result.output;
      EXPECT_THAT(result.output, HasSubstr("workers replaced  "));
      EXPECT_THAT(ReadFile(folder_ / "worker/logs/worker-0.log"),
                  HasSubstr("---- another worker 0 ----"));
      continue;
    }
    if (role == std::string("coordinator")) {
      EXPECT_THAT(result.output,
                  HasSubstr("was killed by SIGKILL; another coordinator is started"));
      EXPECT_THAT(result.output, HasSubstr("another coordinator has come"));
      EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
      EXPECT_GE(Summary(role).value("coordinators_replaced", 0), 1) << result.output;
      EXPECT_THAT(result.output, HasSubstr("coordinators replaced  "));
      EXPECT_EQ(Losses(role), Losses("alone")) << "of the curves nothing is missing or doubled";
      EXPECT_THAT(ReadFile(folder_ / "coordinator/logs/coordinator-0.log"),
                  HasSubstr("---- another coordinator ----"));
      EXPECT_FALSE(std::filesystem::exists(folder_ / "coordinator/coordinator.journal"));
      continue;
    }
    EXPECT_THAT(result.output, HasSubstr("was killed by SIGKILL; starting again from the "
                                         "checkpoint of step "));
    EXPECT_GE(Summary(role).value("restarts", 0), 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr("restarts  "));
  }
}

// At any moment from its start on, together with a worker, and again before it has come.
TEST_F(RestartTest, ACoordinatorAndWorkersThatDieTogetherAreReplacedWithoutARestart) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  RandomMoments moments;
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"train\"")) << program.Wait().output;
  for (int i = 0; i < 4; ++i) {
    moments.Pass(300);
    if (i % 2 == 0) Kill(program, "worker", SIGKILL, 1 + moments.Draw(2));
    Kill(program, "coordinator");
  }
  SCOPED_TRACE(moments.text());
  const ProgramResult result = program.Wait();
  ExpectSameAs("alone", "run", result);
  EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
  EXPECT_GE(Summary("run").value("coordinators_replaced", 0), 1) << result.output;
}

// Before it has said where it is.
TEST_F(RestartTest, CoordinatorsThatAreKilledAsTheyStartAreReplacedWithoutARestart) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"checkpoint\"")) << program.Wait().output;
  Kill(program, "coordinator");
  const auto deadline = Clock::now() + std::chrono::seconds(30);
  for (size_t killed = 0; killed < 3 && Clock::now() < deadline; SleepMs(1)) {
    killed += Kill(program, "coordinator");
  }
  const ProgramResult result = program.Wait();
  ExpectSameAs("alone", "run", result);
  EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
  EXPECT_GE(Summary("run").value("coordinators_replaced", 0), 1) << result.output;
  EXPECT_EQ(pids_.size(), 4u);
}

TEST_F(RestartTest, ACoordinatorThatStandsStillIsKilledAndReplaced) {
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  for (const bool with_worker : {false, true}) {
    SCOPED_TRACE(with_worker ? "a worker is killed meanwhile" : "");
    const std::string run = with_worker ? "both" : "run";
    Program program(Command(run));
    ASSERT_TRUE(AwaitEvent(run, "\"checkpoint\"")) << program.Wait().output;
    Kill(program, "coordinator", SIGSTOP);
    if (with_worker) Kill(program, "worker", SIGKILL, 1);
    const ProgramResult result = program.Wait();
    ExpectSameAs("alone", run, result);
    EXPECT_THAT(result.output, HasSubstr("has not answered for 8s and is killed"));
    EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
  }
}

// As one whose terminal is held, or that was put into the background.
TEST_F(RestartTest, ALauncherThatStandsStillOverTheEndSaysHowItEnded) {
  WriteJob("sync", "every_steps: 300");
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"checkpoint\"")) << program.Wait().output;
  program.Signal(SIGSTOP);
  for (int i = 0; i < 6000 && !std::filesystem::exists(folder_ / "run/model.safetensors"); ++i)
    SleepMs(10);
  SleepMs(7000);
  program.Signal(SIGCONT);
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Summary("run")["examples"], kExamples * kEpochs);
  EXPECT_THAT(Events("run"), HasSubstr(absl::StrCat("\"step\":", kExamples * kEpochs / 20, ",")));
}

TEST_F(RestartTest, AFrozenProcessIsReplacedAsOneThatWasKilled) {
  WriteJob("sync", "every_steps: 50", "lost_after_ms: 1500");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  for (const char* role : {"server", "worker"}) {
    Program program(Command(role));
    ASSERT_TRUE(AwaitEvent(role, "\"checkpoint\"")) << program.Wait().output;
    Kill(program, role, SIGSTOP, 1);
    // Whoever waits for its summary takes the run as ended.
    const std::string goes_on =
        role == std::string("server") ? "goes on from step " : "another worker 0 has come";
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    while (program.Output().find(goes_on) == std::string::npos && Clock::now() < deadline) {
      ASSERT_FALSE(std::filesystem::exists(folder_ / (role + std::string("/summary.json"))));
    }
    const ProgramResult result = program.Wait();
    ExpectSameAs("alone", role, result);
    EXPECT_THAT(result.output, HasSubstr("was not heard of for "));
    EXPECT_THAT(result.output, HasSubstr(role == std::string("server")
                                             ? "; starting again from the checkpoint of step "
                                             : "another worker 0 has come"));
  }
}

}  // namespace
}  // namespace convoy::testing
