// Processes of a job that are killed, frozen and killed again while it runs: the launcher replaces
// a worker or the coordinator, or starts all of them again from the newest checkpoint, and the job
// ends as if nothing had happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/cell_counts.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kExamples = 4000, kEpochs = 16;
// One process makes the bits of sync, and is done sooner.
const std::vector<std::string> kOneProcess = {"--mode", "single"};

class RestartTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(folder_ / "train.libsvm", ParityLines(kExamples)); }

  void WriteJob(const std::string& mode, const std::string& checkpoint,
                const std::string& cluster = "") {
    WriteFile(job_, absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
                                 "model { mlp { hidden: 32 } classes: 2 }\n"
                                 "optimizer { adam {} learning_rate: 0.01 }\n"
                                 "training { mode: \"",
                                 mode, "\" epochs: ", kEpochs,
                                 " batch_size: 20 slices: 4 report_every_steps: 20 }\n"
                                 "cluster { servers: 2 workers: 2 ",
                                 cluster, " }\ncheckpoint { ", checkpoint, " }\n"));
  }
  std::vector<std::string> Command(const std::string& run,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  std::string Events(const std::string& run) const {
    return ReadFile(folder_ / (run + "/events.jsonl"));
  }
  nlohmann::json Summary(const std::string& run) const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  // Step and loss of every line on the training.
  std::vector<std::pair<uint64_t, double>> Losses(const std::string& run) const {
    std::vector<std::pair<uint64_t, double>> losses;
    const std::string events = Events(run);
    for (const auto& line : absl::StrSplit(events, '\n', absl::SkipEmpty())) {
      const auto event = nlohmann::json::parse(std::string(line));
      if (event["kind"] == "train") losses.emplace_back(event["step"], event["loss"]);
    }
    return losses;
  }
  // False: the job has ended, or a minute is over.
  bool AwaitEvent(const std::string& run, const std::string& text) const {
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    while (Clock::now() < deadline) {
      if (Events(run).find(text) != std::string::npos) return true;
      if (std::filesystem::exists(folder_ / (run + "/summary.json"))) return false;
      SleepMs(2);
    }
    return false;
  }
  // Signals all children of this role, or all with "", that were not signalled before. Returns how
  // many.
  size_t Kill(const Program& program, const std::string& role, int signal = SIGKILL,
              size_t at_most = 100) {
    size_t killed = 0;
    for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
      if (killed == at_most || (!role.empty() && child.role != role)) continue;
      if (!pids_.insert(child.pid).second) continue;  // it is dying
      kill(child.pid, signal);
      ++killed;
    }
    return killed;
  }
  // The launcher has said so many times that the job starts again.
  static void AwaitRestarts(Program& program, size_t restarts) {
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    for (size_t said = 0; said < restarts && Clock::now() < deadline;) {
      said = 0;
      const std::string output = program.Output();
      for (size_t at = 0; (at = output.find("; starting again", at)) != std::string::npos; ++at)
        ++said;
    }
  }
  // Of those that were signalled.
  bool NobodyIsLeft() const { return WaitUntilGone(pids_); }
  void ExpectSameAs(const std::string& alone, const std::string& run,
                    const ProgramResult& result) const {
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_TRUE(Model(alone) == Model(run)) << result.output;
    EXPECT_EQ(Summary(alone)["steps"], Summary(run)["steps"]);
    EXPECT_EQ(Summary(alone)["examples"], Summary(run)["examples"]);
    // What a worker had summed up and not reported is lost with it.
    if (!Summary(run).contains("workers_replaced")) {
      EXPECT_EQ(Summary(alone)["train"], Summary(run)["train"]);
    }
    EXPECT_TRUE(NobodyIsLeft());
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  std::set<pid_t> pids_;
};

TEST_F(RestartTest, KilledProcessesOfAnyRoleChangeNoBitOfSync) {
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  for (const char* role : {"server", "worker", "coordinator"}) {
    std::string moments;
    Program program(Command(role));
    ASSERT_TRUE(AwaitEvent(role, "\"checkpoint\"")) << program.Wait().output;
    for (int i = 0; i < 3; ++i) {
      const uint64_t delay = random() % (i == 0 ? 100 : 700);  // the job is not done by then
      absl::StrAppend(&moments, " ", delay, " ms");
      SleepMs(delay);
      Kill(program, role, SIGKILL, 1);
    }
    SCOPED_TRACE(absl::StrCat(role, ", seed ", seed, ", moments", moments));
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
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  std::string moments;
  Program program(Command("run"));
  ASSERT_TRUE(AwaitEvent("run", "\"train\"")) << program.Wait().output;
  for (int i = 0; i < 4; ++i) {
    const uint64_t delay = random() % 300;
    absl::StrAppend(&moments, " ", delay, " ms");
    SleepMs(delay);
    if (i % 2 == 0) Kill(program, "worker", SIGKILL, 1 + random() % 2);
    Kill(program, "coordinator");
  }
  SCOPED_TRACE(absl::StrCat("seed ", seed, ", moments", moments));
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
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  WriteJob("sync", "every_steps: 50");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  std::string moments;
  Program program(Command("run"));
  for (int i = 0; i < 8; ++i) {
    const uint64_t delay = random() % 500;
    const std::vector<LaunchedChild> children = LaunchedChildren(program.pid());
    absl::StrAppend(&moments, " ", delay, " ms:");
    SleepMs(delay);
    for (const LaunchedChild& child : children) {
      pids_.insert(child.pid);
      if (random() % 3 != 0) continue;
      absl::StrAppend(&moments, " ", child.role);
      kill(child.pid, SIGKILL);
    }
  }
  SCOPED_TRACE(absl::StrCat("seed ", seed, ", moments", moments));
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
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  WriteJob("sync", "every_steps: 300");
  ASSERT_EQ(RunProgram(Command("alone", kOneProcess)).exit_code, 0);
  for (const char* role : {"server", "worker", "coordinator"}) {
    Program program(Command(role));
    ASSERT_TRUE(AwaitEvent(role, absl::StrCat("\"step\":", kExamples * kEpochs / 20 - 40, ",")))
        << program.Wait().output;
    const uint64_t delay = random() % 60;
    SleepMs(delay);
    Kill(program, role, SIGKILL, 1);
    SCOPED_TRACE(absl::StrCat(role, ", seed ", seed, ", ", delay, " ms"));
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
  const uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  for (const char* mode : {"async", "ssp:2"}) {
    WriteJob(mode, "every_steps: 50");
    const std::string run = mode;
    std::string moments;
    Program program(Command(run));
    ASSERT_TRUE(AwaitEvent(run, "\"checkpoint\"")) << program.Wait().output;
    for (const char* role : {"worker", "server", "coordinator"}) {
      const uint64_t delay =
          random() % (moments.empty() ? 100 : 700);  // the job is not done by then
      absl::StrAppend(&moments, " ", delay, " ms");
      SleepMs(delay);
      Kill(program, role, SIGKILL, 1);
    }
    const ProgramResult result = program.Wait();
    SCOPED_TRACE(absl::StrCat(mode, ", seed ", seed, ", moments", moments, "\n", result.output));
    ASSERT_EQ(result.exit_code, 0);
    EXPECT_GE(Summary(run).value("restarts", 0), 1);
    EXPECT_EQ(Summary(run)["examples"], kExamples * kEpochs);
    ExpectAllExamplesInAllCells(folder_ / run, kExamples * kEpochs);
    EXPECT_TRUE(NobodyIsLeft());
  }
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
