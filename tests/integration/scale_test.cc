// Jobs that go on with another number of workers while their servers stay: `convoy control RUN_DIR
// scale`, workers that join by themselves, and cluster.on_worker_loss: CONTINUE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/cell_counts.h"
#include "tests/testing/hand_made_cluster.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// 4000 steps of sync: what happens to a job is done after a tenth to a fifth of them.
constexpr uint64_t kExamples = 4000, kEpochs = 20;
constexpr char kDense[] = "mlp { hidden: 32 } classes: 2";
constexpr char kTables[] = "factorization_machine { factors: 2 }";

class ScaleTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteFile(folder_ / "train.libsvm", ParityLines(kExamples)); }

  void WriteJob(const std::string& mode, const std::string& model = kDense,
                const std::string& cluster = "", const std::string& more = "slices: 4") const {
    WriteFile(job_,
              absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" }\n", "model { ",
                           model, " }\n", "optimizer { adagrad {} learning_rate: 0.05 }\n",
                           "training { mode: \"", mode, "\" epochs: ", epochs_,
                           " batch_size: 20 report_every_steps: 20 ", more, " }\n",
                           "cluster { servers: 2 workers: 2 ", cluster, " }\n",
                           "checkpoint { every_steps: 100 }\n"));
  }
  std::vector<std::string> Command(const std::string& run,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  ProgramResult Scale(int workers) const {
    return RunProgram(
        {CONVOY_BINARY, "control", folder_ / "run", "scale", "--workers", std::to_string(workers)});
  }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  nlohmann::json Summary(const std::string& run = "run") const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  // Lines of events.jsonl of this kind.
  std::vector<nlohmann::json> Events(const std::string& kind) const {
    std::vector<nlohmann::json> events;
    for (const auto& line :
         absl::StrSplit(ReadFile(folder_ / "run/events.jsonl"), '\n', absl::SkipEmpty())) {
      auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (event.is_object() && event.value("kind", "") == kind) events.push_back(std::move(event));
    }
    return events;
  }
  bool AwaitEvents(const std::string& kind, size_t count) const {
    for (int i = 0; i < 3000 && Events(kind).size() < count; ++i) SleepMs(20);
    return Events(kind).size() >= count;
  }
  static std::vector<pid_t> Workers(const Program& program) {
    std::vector<pid_t> pids;
    for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
      if (child.role == "worker") pids.push_back(child.pid);
    }
    return pids;
  }
  // Kills these of the workers, counted from 0, after the first checkpoint.
  void KillWorkers(Program& program, const std::vector<size_t>& workers) const {
    ASSERT_TRUE(AwaitEvents("checkpoint", 1)) << program.Output();
    const std::vector<pid_t> pids = Workers(program);
    for (const size_t i : workers) kill(pids.at(i), SIGKILL);
  }
  // At random moments: 4 workers, 1, 3.
  void ScaleAsItRuns(Program& program) {
    const uint64_t seed = std::random_device()();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    ASSERT_TRUE(AwaitEvents("train", 1)) << program.Output();
    for (const int workers : {4, 1, 3}) {
      SleepMs(random() % 100);
      const ProgramResult scaled = Scale(workers);
      ASSERT_EQ(scaled.exit_code, 0) << scaled.output << program.Output();
      EXPECT_THAT(scaled.output,
                  HasSubstr(absl::StrCat("goes on with ", workers,
                                         workers == 1 ? " worker at step " : " workers at step ")));
      for (int k = 0; k < 500 && Workers(program).size() != static_cast<size_t>(workers); ++k)
        SleepMs(20);
      EXPECT_EQ(Workers(program).size(), static_cast<size_t>(workers));
    }
  }
  // One of 3 workers was lost, and the job went on without it.
  static void ExpectThatItWentOnWithTwo(const ProgramResult& result) {
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("goes on with 2 workers instead of 3\n"));
    EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
  }
  void ExpectThreeScalings() const {
    EXPECT_EQ(Events("restart").size(), 0u);
    const std::vector<nlohmann::json> events = Events("divided");
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0]["workers_before"], 2);
    EXPECT_EQ(events[0]["workers"], 4);
    EXPECT_EQ(events[2]["workers_before"], 1);
    EXPECT_EQ(events[2]["workers"], 3);
    EXPECT_FALSE(Summary().contains("restarts")) << "nothing was lost";
    EXPECT_FALSE(Summary().contains("workers_replaced"));
    EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
  }
  // sync: of one process, which makes the same bits and is done sooner.
  void ExpectTheBitsOfTheUndisturbedRun(const std::string& mode = "single") const {
    ASSERT_EQ(
        RunProgram(Command("alone", {"--mode", mode, "--set", "cluster.on_worker_loss=RESTART",
                                     "--set", "cluster.min_workers=1"}))
            .exit_code,
        0);
    EXPECT_TRUE(Model("alone") == Model("run"));
    EXPECT_EQ(Summary("alone")["steps"], Summary()["steps"]);
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  uint64_t epochs_ = kEpochs;
};

TEST_F(ScaleTest, InSyncTheWeightsAreThoseOfTheUndisturbedRunBitForBit) {
  WriteJob("sync");
  Program program(Command("run"));
  ScaleAsItRuns(program);
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("goes on with 4 workers instead of 2 at step "));
  EXPECT_THAT(result.output, HasSubstr("goes on with 1 worker instead of 4 at step "));
  ExpectThreeScalings();
  ExpectTheBitsOfTheUndisturbedRun();
  EXPECT_EQ(Summary("alone")["train"], Summary()["train"]);
}

TEST_F(ScaleTest, InLocalSgdWithTablesToo) {
  WriteJob("local_sgd:4", kTables);
  Program program(Command("run"));
  ScaleAsItRuns(program);
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ExpectThreeScalings();
  ExpectTheBitsOfTheUndisturbedRun("local_sgd:4");
  EXPECT_EQ(Summary("alone")["train"], Summary()["train"]);
}

TEST_F(ScaleTest, InAsyncEveryBatchCountsOnceInEveryCell) {
  for (const char* model : {kDense, kTables}) {
    SCOPED_TRACE(model);
    std::filesystem::remove_all(folder_ / "run");
    WriteJob("async", model, "", "batches_per_task: 4");
    Program program(Command("run"));
    ScaleAsItRuns(program);
    const ProgramResult result = program.Wait();
    ASSERT_EQ(result.exit_code, 0) << result.output;
    ExpectThreeScalings();
    ExpectAllExamplesInAllCells(folder_ / "run", kEpochs * kExamples);
  }
}

// No launcher: a worker finds no place, and joins; then all but one leave.
TEST_F(ScaleTest, WorkersJoinAndLeaveAJobThatWasStartedByHand) {
  for (const char* mode : {"sync", "async", "ssp:2"}) {
    SCOPED_TRACE(mode);
    std::filesystem::remove_all(folder_ / "run");
    std::filesystem::remove_all(folder_ / "alone");
    WriteJob(mode);
    HandMadeCluster cluster({CONVOY_BINARY, job_, folder_ / "run", ""});
    ASSERT_TRUE(cluster.StartServers()) << cluster.coordinator().Output();
    std::vector<std::unique_ptr<Program>> workers;
    for (int rank = 0; rank < 2; ++rank) workers.push_back(cluster.StartWorker(rank));
    ASSERT_TRUE(cluster.WaitForEvents("train", 1)) << cluster.coordinator().Output();
    workers.push_back(cluster.StartAnyWorker());
    ASSERT_TRUE(cluster.WaitForEvents("divided", 1)) << workers[2]->Output();
    ASSERT_TRUE(cluster.WaitForEvents("checkpoint", cluster.Count("checkpoint") + 1));
    // Where there are no steps a checkpoint may be there before the one that joins: it is waited
    // for.
    const ProgramResult scaled = Scale(1);
    EXPECT_EQ(scaled.exit_code, 0) << scaled.output;
    cluster.ExpectAGoodEnd(workers);
    EXPECT_EQ(cluster.Count("divided"), 2u);
    EXPECT_EQ(cluster.Count("lost"), 0u);
    EXPECT_EQ(Summary()["examples"], kEpochs * kExamples);
    if (mode == std::string("sync")) ExpectTheBitsOfTheUndisturbedRun();
    ExpectAllExamplesInAllCells(folder_ / "run", kEpochs * kExamples);
  }
}

TEST_F(ScaleTest, AJobThatWaitsForAWorkerIsScaledWhenItHasCome) {
  WriteJob("sync", kDense, "lost_after_ms: 1000 heartbeat_ms: 100");
  HandMadeCluster cluster({CONVOY_BINARY, job_, folder_ / "run", ""});
  ASSERT_TRUE(cluster.StartServers()) << cluster.coordinator().Output();
  std::vector<std::unique_ptr<Program>> workers;
  workers.push_back(cluster.StartWorker(0));
  const auto lost = cluster.StartWorker(1);
  ASSERT_TRUE(cluster.WaitForEvents("checkpoint", 1)) << cluster.coordinator().Output();
  lost->Signal(SIGKILL);
  ASSERT_TRUE(cluster.WaitForEvents("lost", 1)) << cluster.coordinator().Output();
  Program scale({CONVOY_BINARY, "control", folder_ / "run", "scale", "--workers", "1"});
  ASSERT_TRUE(scale.WaitForOutput("waiting for another worker 1 (")) << scale.Output();
  EXPECT_EQ(cluster.Count("divided"), 0u);
  workers.push_back(cluster.StartWorker(1));
  const ProgramResult scaled = scale.Wait();
  EXPECT_EQ(scaled.exit_code, 0) << scaled.output;
  EXPECT_THAT(scaled.output, HasSubstr("goes on with 1 worker at step "));
  cluster.ExpectAGoodEnd(workers);
  EXPECT_EQ(cluster.Count("divided"), 1u);
  ExpectTheBitsOfTheUndisturbedRun();
}

TEST_F(ScaleTest, AJobThatMayGoOnWithFewerWorkersDoesSoDownToTheLeast) {
  WriteJob("sync", kDense, "on_worker_loss: CONTINUE min_workers: 2");
  Program program(Command("run", {"--workers", "3"}));
  KillWorkers(program, {1});
  ASSERT_TRUE(AwaitEvents("divided", 1)) << program.Output();
  EXPECT_EQ(Workers(program).size(), 2u);
  ASSERT_TRUE(AwaitEvents("checkpoint", 4)) << program.Output();
  kill(Workers(program).at(1), SIGKILL);
  ASSERT_TRUE(AwaitEvents("rejoined", 1)) << "one would be too few\n" << program.Output();
  const ProgramResult result = program.Wait();
  ExpectThatItWentOnWithTwo(result);
  EXPECT_THAT(result.output, HasSubstr("was killed by SIGKILL; the job waits for another worker"));
  ASSERT_EQ(Events("divided").size(), 1u);
  EXPECT_EQ(Summary()["workers_replaced"], 1);
  ExpectTheBitsOfTheUndisturbedRun();
}

// Its clock is the slowest from then on: who waits for it waits until wait_timeout_ms.
TEST_F(ScaleTest, InSspNobodyWaitsForAWorkerThatIsDoneWithout) {
  WriteJob("ssp:1", kDense, "on_worker_loss: CONTINUE", "batches_per_task: 10");
  Program program(Command("run", {"--workers", "3"}));
  KillWorkers(program, {2});
  ExpectThatItWentOnWithTwo(program.Wait());
  ExpectAllExamplesInAllCells(folder_ / "run", epochs_ * kExamples);
}

// The launcher kills it when it hears that it counts as lost, and says so: its rank is another
// worker's by then, or nobody's.
TEST_F(ScaleTest, AFrozenWorkerIsDoneWithoutWhicheverItIs) {
  epochs_ = 12;
  for (const size_t frozen : {0, 2}) {
    SCOPED_TRACE(frozen);
    for (const char* run : {"run", "alone"}) std::filesystem::remove_all(folder_ / run);
    WriteJob("sync", kDense, "on_worker_loss: CONTINUE lost_after_ms: 1000 heartbeat_ms: 100");
    Program program(Command("run", {"--workers", "3"}));
    ASSERT_TRUE(AwaitEvents("checkpoint", 1)) << program.Output();
    const pid_t pid = Workers(program).at(frozen);
    kill(pid, SIGSTOP);
    ASSERT_TRUE(AwaitEvents("divided", 1)) << program.Output();
    ExpectThatItWentOnWithTwo(program.Wait());
    EXPECT_EQ(Events("divided").size(), 1u);
    EXPECT_TRUE(WaitUntilGone({pid}));
    ExpectTheBitsOfTheUndisturbedRun();
  }
}

TEST_F(ScaleTest, WorkersThatDieTogetherAreDoneWithoutOrReplaced) {
  epochs_ = 12;
  WriteJob("sync", kDense, "on_worker_loss: CONTINUE");
  Program program(Command("run", {"--workers", "4"}));
  KillWorkers(program, {0, 1, 3});
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
  EXPECT_GE(Events("divided").size(), 1u);
  ExpectTheBitsOfTheUndisturbedRun();
}

TEST_F(ScaleTest, CheckpointsGoOnWithFewerWorkersOfWhichSomeAreSpare) {
  epochs_ = 12;
  WriteJob("sync", kDense, "on_worker_loss: CONTINUE", "slices: 2");
  Program program(Command("run", {"--workers", "4"}));
  KillWorkers(program, {0});
  ASSERT_TRUE(AwaitEvents("divided", 1)) << program.Output();
  const size_t before = Events("checkpoint").size();
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_GE(Events("checkpoint").size(), before + 3) << "not only the last one";
  ExpectTheBitsOfTheUndisturbedRun();
}

TEST_F(ScaleTest, WhatCannotBeIsRefusedAndTheJobGoesOn) {
  WriteJob("sync");
  Program program(Command("run", {"--set", "checkpoint.every_steps=0"}));
  ASSERT_TRUE(AwaitEvents("train", 1)) << program.Output();
  const ProgramResult many = Scale(5);
  EXPECT_EQ(many.exit_code, 1);
  EXPECT_THAT(many.output, HasSubstr("workers: got 5, want at most 4, the slices of a step"));
  EXPECT_THAT(many.output, HasSubstr("needs training.slices: 5"));
  const ProgramResult same = Scale(2);
  EXPECT_EQ(same.exit_code, 1);
  EXPECT_THAT(same.output, HasSubstr("the job has 2 workers already"));
  const std::string run = folder_ / "run";
  for (const std::vector<std::string>& request :
       {std::vector<std::string>{"scale"}, {"stop", "--workers", "3"}}) {
    std::vector<std::string> command = {CONVOY_BINARY, "control", run};
    command.insert(command.end(), request.begin(), request.end());
    const ProgramResult result = RunProgram(command);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.output, HasSubstr("scale goes with --workers N"));
  }
  EXPECT_EQ(Workers(program).size(), 2u);
  const ProgramResult result = program.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Events("divided").size(), 0u);
}

TEST_F(ScaleTest, JobsOfOneProcessKeepTheirWorkers) {
  WriteJob("sync");
  Program program(Command("run", {"--in-process"}));
  ASSERT_TRUE(AwaitEvents("train", 1)) << program.Output();
  const ProgramResult refused = Scale(3);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("the workers of this job are threads of one process"));
  EXPECT_EQ(program.Wait().exit_code, 0);

  WriteJob("sync", kDense, "on_worker_loss: CONTINUE");
  const ProgramResult threads = RunProgram(Command("threads", {"--in-process"}));
  EXPECT_EQ(threads.exit_code, 2);
  EXPECT_THAT(threads.output, HasSubstr("leave out --in-process"));
  WriteJob("sync", kDense, "min_workers: 3");
  EXPECT_THAT(RunProgram(Command("few")).output,
              HasSubstr("cluster.min_workers (3) must not be greater than cluster.workers (2)"));
  WriteJob("sync", kDense, "on_worker_loss: CONTINUE max_restarts: 0");
  EXPECT_THAT(RunProgram(Command("none")).output, HasSubstr("and cluster.max_restarts is 0"));
  WriteJob("single", kDense, "on_worker_loss: CONTINUE");
  EXPECT_THAT(RunProgram(Command("single")).output, HasSubstr("and mode single is one process"));
}

}  // namespace
}  // namespace convoy::testing
