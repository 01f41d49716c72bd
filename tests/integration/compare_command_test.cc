// `convoy compare` and `convoy report` as a user meets them, and rehearsals of slow workers and
// links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class CompareCommandTest : public ::testing::Test {
 protected:
  CompareCommandTest() {
    WriteToyImages({.examples = 400}, folder_ / "toy");
    WriteFile(job_,
              "data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" validation { fraction: "
              "0.2 } }\n"
              "model { mlp { hidden: 16 } }\n"
              "optimizer { learning_rate: 0.1 }\n"
              "training { epochs: 2 batch_size: 32 }\ncluster { servers: 1 workers: 2 }\n");
  }

  std::vector<std::string> Compare(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "compare", job_, "--out", out_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  ProgramResult Train(const std::string& run, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "train", job_, "--run-dir", run};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }
  json Report() const { return json::parse(ReadFile(out_ + "/report.json")); }
  static int Count(const std::string& text, const std::string& word) {
    int count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      ++count;
    return count;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  const std::string out_ = folder_ / "report";
};

TEST_F(CompareCommandTest, TrainsEachModeWithEachSeedAndReusesFinishedRuns) {
  const std::vector<std::string> command = Compare(
      {"--mode", "sync", "--mode", "ssp:3", "--seeds", "2", "--target", "validation/accuracy=0.5"});
  const ProgramResult first = RunProgram(command);
  ASSERT_EQ(first.exit_code, 0) << first.output;
  EXPECT_THAT(first.output, HasSubstr("6 runs, one after the other"));
  EXPECT_THAT(first.output, HasSubstr("a short probe of sync trained"));
  EXPECT_THAT(first.output, HasSubstr("[1/6] single, seed 1: "));
  EXPECT_THAT(first.output, HasSubstr("[6/6] ssp:3, seed 2: "));
  for (const char* file :
       {"report.html", "report.json", "runs.csv", "curves.csv", "runs/ssp-3-seed2/summary.json",
        "runs/ssp-3-seed2.log", "runs/sync-seed1.textproto"}) {
    EXPECT_TRUE(std::filesystem::exists(out_ + "/" + file)) << file;
  }
  const json report = Report();
  ASSERT_EQ(report["modes"].size(), 3u);
  EXPECT_EQ(report["modes"][0]["name"], "single");
  EXPECT_EQ(report["modes"][2]["runs"], 2);
  for (const json& run : report["runs"])
    EXPECT_EQ(run["examples"], 640) << "320 examples, twice, in every mode";
  EXPECT_EQ(report["modes"][1]["last"], report["modes"][0]["last"])
      << "single has the bits of sync";
  EXPECT_EQ(report["modes"][1]["workers"].size(), 2u);
  EXPECT_FALSE(report["modes"][2]["staleness_histogram"].empty());

  const ProgramResult again = RunProgram(command);
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_EQ(Count(again.output, "was there already"), 6) << again.output;
  EXPECT_THAT(again.output, HasSubstr("\n6 of 6 runs are there already\n"));
  EXPECT_THAT(again.output, Not(HasSubstr("probe")));
  EXPECT_EQ(Report(), report);

  // Another job is another measurement; and data that changed since.
  std::vector<std::string> longer = command;
  longer.insert(longer.end(), {"--epochs", "1"});
  const ProgramResult other = RunProgram(longer);
  EXPECT_THAT(other.output, HasSubstr("note: 6 runs of another job or build in "));
  EXPECT_THAT(other.output, Not(HasSubstr("was there already")));
  std::filesystem::last_write_time(folder_ / "toy-images-idx3-ubyte",
                                   std::filesystem::file_time_type::clock::now());
  EXPECT_THAT(RunProgram(longer).output, Not(HasSubstr("was there already")));
}

TEST_F(CompareCommandTest, MistakesAreToldBeforeAnythingIsStarted) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"--mode", "asynch"},
       "--mode: unknown mode \"asynch\", did you mean \"async\"? Modes: sync, "},
      {{"--mode", "single"}, "name at least one other"},
      {{"--mode", "sync", "--seeds", "0"}, "--seeds must be from 1 to 1000, got 0"},
      {{"--mode", "sync", "--sweep", "momentum=1"}, "only the learning rate can be swept"},
      {{"--mode", "sync", "--sweep", "learning_rate=0.1,fast"}, "\"fast\" is no number > 0"},
      {{"--mode", "sync", "--target", "accuracy"}, "want SPLIT/METRIC=VALUE"},
      {{"--mode", "sync", "--target", "validation/rmse=1"},
       "the job does not measure \"rmse\" on its validation data"},
      {{"--mode", "sync", "--slow-worker", "2=3x"},
       "there is no worker 2: the job has 2, from 0 to 1"},
      {{"--mode", "sync", "--slow-worker", "1=3"}, "FACTOR ends with x"},
      {{"--mode", "sync", "--link", "fast"}, "--link fast: rehearsal.link: got \"fast\""},
      {{"--mode", "sync,backup=2"}, "backup must be less than the slices"},
      {{"--mode", "sync", "--set", "training.max_steps=5"},
       "training.max_steps: a step is not equally many examples"},
  };
  for (const auto& [arguments, message] : cases) {
    const ProgramResult result = RunProgram(Compare(arguments));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(out_)) << message;
  }
}

// Mode single, which has no other worker to go on with, is trained along with it.
TEST_F(CompareCommandTest, AJobThatGoesOnWithFewerWorkersIsCompared) {
  const ProgramResult result =
      RunProgram(Compare({"--mode", "sync", "--seeds", "1", "--epochs", "1", "--set",
                          "cluster.on_worker_loss=CONTINUE", "--set", "cluster.min_workers=2"}));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(ReadFile(out_ + "/runs/sync-seed1.textproto"), HasSubstr("on_worker_loss: CONTINUE"));
  EXPECT_THAT(ReadFile(out_ + "/runs/single-seed1.textproto"),
              HasSubstr("on_worker_loss: RESTART"));
}

// The job file does not tell how many classes there are; a probe does, before the first run.
TEST_F(CompareCommandTest, AMetricThatOnlyOtherDataHaveIsToldAfterTheProbe) {
  const ProgramResult result =
      RunProgram(Compare({"--mode", "sync", "--target", "validation/auc=0.9"}));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("the job does not measure \"auc\" on its validation data; it has "));
  EXPECT_FALSE(std::filesystem::exists(out_ + "/runs"));
}

TEST_F(CompareCommandTest, ARunThatFailsIsShownWithItsCauseAndTheOthersComplete) {
  const ProgramResult result =
      RunProgram(Compare({"--mode", "sync", "--seeds", "1", "--sweep", "learning_rate=0.1,1e30"}));
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("[4/4] sync, rate 1e+30, seed 1: FAILED: "));
  EXPECT_THAT(result.output, HasSubstr("gradient of "));
  EXPECT_THAT(result.output, HasSubstr("ended with the best validation accuracy"));
  const json report = Report();
  ASSERT_EQ(report["runs"].size(), 4u);
  EXPECT_EQ(report["runs"][1]["failure"], "");
  EXPECT_THAT(report["runs"][3]["failure"].get<std::string>(), HasSubstr("gradient of "));
  EXPECT_EQ(report["modes"][1]["judged"], true);
  EXPECT_EQ(report["modes"][3]["judged"], false);
}

TEST_F(CompareCommandTest, AfterCtrlCTheSameCommandGoesOn) {
  const std::vector<std::string> command =
      Compare({"--mode", "sync", "--mode", "async", "--seeds", "2"});
  Program compare(command);
  ASSERT_TRUE(compare.WaitForOutput("[2/6] sync, seed 1: "));
  const ProgramResult second = RunProgram(command);
  EXPECT_EQ(second.exit_code, 2) << second.output;
  EXPECT_THAT(second.output, HasSubstr("another comparison (pid " + std::to_string(compare.pid()) +
                                       ") is at work"));
  compare.Signal(SIGINT);
  const ProgramResult stopped = compare.Wait();
  EXPECT_EQ(stopped.exit_code, 130) << stopped.output;
  EXPECT_THAT(stopped.output,
              HasSubstr("of 6 runs are finished, and the same command goes on with the others"));
  EXPECT_FALSE(std::filesystem::exists(out_ + "/report.html"));
  const ProgramResult rest = RunProgram(command);
  EXPECT_EQ(rest.exit_code, 0) << rest.output;
  EXPECT_GE(Count(rest.output, "was there already"), 2) << rest.output;
  EXPECT_LT(Count(rest.output, "was there already"), 6) << rest.output;
  for (const json& run : Report()["runs"]) EXPECT_EQ(run["failure"], "");
}

TEST_F(CompareCommandTest, AFolderOfSomethingElseIsLeftAlone) {
  std::filesystem::create_directories(out_ + "/runs/single-seed1");
  WriteFile(out_ + "/runs/single-seed1/precious", "x");
  const ProgramResult result = RunProgram(Compare({"--mode", "sync", "--seeds", "1"}));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("is not of a comparison"));
  EXPECT_EQ(ReadFile(out_ + "/runs/single-seed1/precious"), "x");
}

TEST_F(CompareCommandTest, ARehearsalChangesWhenThingsHappenNotWhatIsComputed) {
  ASSERT_EQ(Train(folder_ / "plain").exit_code, 0);
  const ProgramResult slow = Train(folder_ / "slow", {"--slow-worker", "1=3x", "--slow-worker",
                                                      "any=2x@50%", "--link", "1gbit,1ms"});
  ASSERT_EQ(slow.exit_code, 0) << slow.output;
  EXPECT_THAT(slow.output, HasSubstr("rehearsal: worker 1 is 3 times slower all the time"));
  EXPECT_THAT(slow.output,
              HasSubstr("rehearsal: a link of 1 Gbit/s and 1ms delay from each process"));
  EXPECT_TRUE(ReadFile(folder_ / "plain/model.safetensors") ==
              ReadFile(folder_ / "slow/model.safetensors"));
  const json summary = json::parse(ReadFile(folder_ / "slow/summary.json"));
  EXPECT_EQ(summary["rehearsal"]["slow_worker"][0], "1=3x");
  EXPECT_EQ(summary["rehearsal"]["link"], "1gbit,1ms");
  // 20 steps, each of which goes to the server and back.
  EXPECT_GE(summary["wall_seconds"], 20 * 0.002);
  for (const json& process : summary["processes"]) {
    if (process["role"] != "worker") continue;
    EXPECT_GT(process["trained_seconds"], 0);
    EXPECT_GT(process["waited_seconds"], 0);
    if (process["rank"] == 1) {
      EXPECT_GT(process["delayed_seconds"], 0);
    }
  }
  EXPECT_EQ(json::parse(ReadFile(folder_ / "plain/summary.json"))["processes"][1].count(
                "delayed_seconds"),
            0u);
}

TEST_F(CompareCommandTest, WhatModeSingleCannotRehearseIsRefusedByTrainAndSaidByCompare) {
  const ProgramResult link = Train(folder_ / "run", {"--mode", "single", "--link", "5ms"});
  EXPECT_EQ(link.exit_code, 2) << link.output;
  EXPECT_THAT(link.output,
              HasSubstr("mode single has no servers and sends nothing over a link; leave it out"));
  const ProgramResult compare = RunProgram(
      Compare({"--mode", "sync", "--seeds", "1", "--slow-worker", "1=2x", "--link", "1ms"}));
  EXPECT_EQ(compare.exit_code, 0) << compare.output;
  EXPECT_THAT(compare.output,
              HasSubstr("rehearsal worker 1 is 2 times slower all the time (not in single)"));
  EXPECT_THAT(compare.output,
              HasSubstr("note: Mode single is one process and was not slowed on purpose"));
  EXPECT_EQ(Report()["link_is_modelled"], true);
}

TEST_F(CompareCommandTest, AReportOfRunsThatAreThereSaysWhatIsDamaged) {
  ASSERT_EQ(Train(folder_ / "a").exit_code, 0);
  ASSERT_EQ(Train(folder_ / "b", {"--mode", "async"}).exit_code, 0);
  std::ofstream(folder_ / "b/events.jsonl", std::ios::app) << "{\"kind\": \"tr\n";
  const std::vector<std::string> command = {CONVOY_BINARY, "report",        folder_ / "a",
                                            folder_ / "b", "--out",         out_,
                                            "--target",    "train/loss=100"};
  const ProgramResult result = RunProgram(command);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("1 line is damaged and left out; line "));
  EXPECT_THAT(ReadFile(out_ + "/report.html"), HasSubstr("<title>job: modes compared</title>"));
  EXPECT_EQ(Report()["runs"][1]["damaged_lines"], 1);

  const ProgramResult none = RunProgram({CONVOY_BINARY, "report", folder_.path(), "--out", out_});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("holds no run: there is no events.jsonl"));
  const ProgramResult target = RunProgram(
      {CONVOY_BINARY, "report", folder_ / "a", "--target", "validation/auc=1", "--out", out_});
  EXPECT_EQ(target.exit_code, 2);
  EXPECT_THAT(target.output, HasSubstr("does not measure \"auc\""));
}

}  // namespace
}  // namespace convoy::testing
