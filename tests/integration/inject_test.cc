// `convoy train --inject`: what is broken on purpose is broken, is noted, and changes no result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "tests/testing/cell_counts.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kExamples = 2000, kEpochs = 16;  // 100 steps each

std::string Lines() {
  std::string text;
  for (uint64_t i = 0; i < kExamples; ++i) {
    const RandomStream random(3, "line", i);
    const uint64_t a = 1 + random.Below(0, 50), b = 51 + random.Below(1, 50);
    absl::StrAppend(&text, (a + b) % 2, " ", a, ":1 ", b, ":1\n");
  }
  return text;
}

class InjectTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteFile(folder_ / "train.libsvm", Lines());
    WriteFile(job_, absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" }\n"
                                 "model { mlp { hidden: 32 } classes: 2 }\n"
                                 "optimizer { adam {} learning_rate: 0.01 }\n"
                                 "training { epochs: ",
                                 kEpochs,
                                 " batch_size: 20 slices: 4 report_every_steps: 10 }\n"
                                 "cluster { servers: 2 workers: 2 }\n"
                                 "checkpoint { every_steps: 50 }\n"));
  }
  ProgramResult Train(const std::string& run, const std::vector<std::string>& faults,
                      const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {CONVOY_BINARY,
                                        "train",
                                        job_,
                                        "--run-dir",
                                        folder_ / run,
                                        "--set",
                                        "rehearsal.allow_faults=true"};
    for (const std::string& fault : faults) command.insert(command.end(), {"--inject", fault});
    command.insert(command.end(), more.begin(), more.end());
    return RunProgram(command);
  }
  // Of one process, which makes the bits of sync and is done sooner; the run "alone".
  ProgramResult TrainAlone() const { return Train("alone", {}, {"--mode", "single"}); }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  nlohmann::json Summary(const std::string& run) const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  size_t FaultsIn(const std::string& run) const {
    const std::string events = ReadFile(folder_ / (run + "/events.jsonl"));
    size_t count = 0;
    for (size_t at = 0; (at = events.find("\"kind\":\"fault\"", at)) != std::string::npos; ++at)
      ++count;
    return count;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
};

TEST_F(InjectTest, SyncKeepsItsBitsWhateverIsBroken) {
  ASSERT_EQ(TrainAlone().exit_code, 0);
  const std::vector<std::string> faults = {"drop 2% of pushes", "duplicate 5% of pushes",
                                           "delay 5% of pushes by 5ms", "kill worker 1 at step 200",
                                           "kill server 0 at step 500"};
  const ProgramResult result = Train("run", faults);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(Model("alone") == Model("run")) << result.output;
  for (const std::string& fault : faults)
    EXPECT_THAT(result.output, HasSubstr(absl::StrCat("rehearsal: ", fault, "\n")));
  EXPECT_THAT(result.output, HasSubstr("rehearsal: kill worker 1 at step 200: done at step "));
  EXPECT_THAT(result.output, HasSubstr("rehearsal: kill server 0 at step 500: done at step "));
  EXPECT_EQ(FaultsIn("run"), 2u);
  const nlohmann::json summary = Summary("run");
  EXPECT_EQ(summary["restarts"], 1);  // the worker was replaced
  EXPECT_THAT(result.output, HasSubstr("another worker 1 has come"));
  EXPECT_EQ(summary["rehearsal"]["fault"], nlohmann::json(faults));
  for (const char* hit : {"dropped", "duplicated", "delayed"})
    EXPECT_GT(summary["rehearsal"]["pushes"][hit], 0) << hit;
}

TEST_F(InjectTest, InAsyncEveryBatchCountsOnceWhateverIsBroken) {
  const ProgramResult result = Train("run",
                                     {"drop 2% of pushes", "duplicate 5% of pushes",
                                      "delay 5% of pushes by 5ms", "kill coordinator at step 200"},
                                     {"--mode", "async"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Summary("run")["coordinators_replaced"], 1);
  EXPECT_EQ(Summary("run")["examples"], kExamples * kEpochs);
  ExpectAllExamplesInAllCells(folder_ / "run", kExamples * kEpochs);
}

TEST_F(InjectTest, WithChecksumsWhatIsDamagedOnItsWayIsSentAgain) {
  ASSERT_EQ(TrainAlone().exit_code, 0);
  const std::vector<std::string> checked = {"--set", "cluster.wire_checksums=true"};
  ProgramResult result = Train("run", {"corrupt 1% of pushes"}, checked);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(Model("alone") == Model("run")) << result.output;
  const nlohmann::json summary = Summary("run");
  EXPECT_GT(summary["rehearsal"]["pushes"]["corrupted"], 0);
  EXPECT_FALSE(summary.contains("restarts")) << result.output;
  uint64_t damaged = 0;
  for (const auto& process : summary["processes"]) {
    damaged += process.value("damaged_requests", uint64_t{0});
  }
  EXPECT_GT(damaged, 0u);
  EXPECT_LE(damaged, summary["rehearsal"]["pushes"]["corrupted"].get<uint64_t>())
      << "with the stream goes what else is under way";
  // Pushes of several messages: those that follow a damaged one must not be taken for all of it.
  const std::vector<std::string> large = {
      "--epochs", "2", "--set", "cluster.wire_checksums=true", "--set", "model.mlp.hidden=2048"};
  ASSERT_EQ(Train("large-alone", {}, large).exit_code, 0);
  result = Train("large", {"corrupt 3% of pushes"}, large);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(Model("large-alone") == Model("large")) << result.output;
  EXPECT_GT(Summary("large")["rehearsal"]["pushes"]["corrupted"], 0);
  // Messages that are not hit are accepted as they are, and sparse ones too.
  result = Train("tables", {"corrupt 2% of pushes"},
                 {"--set", "cluster.wire_checksums=true", "--mode", "async", "--set",
                  "model={factorization_machine { factors: 2 }}"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ExpectAllExamplesInAllCells(folder_ / "tables", kExamples * kEpochs);
  // Without checksums nobody would notice.
  result = Train("unnoticed", {"corrupt 2% of pushes"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("needs cluster.wire_checksums: true"));
}

TEST_F(InjectTest, AProcessThatIsFrozenForAMomentIsWaitedFor) {
  ASSERT_EQ(TrainAlone().exit_code, 0);
  const ProgramResult result =
      Train("run", {"freeze worker 0 for 300ms at step 100", "freeze server 1 for 0.3s at step 200",
                    "worker 1 slow 1.5x", "kill worker 0 at step 100000"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("kill worker 0 at step 100000: did not happen"));
  EXPECT_THAT(result.output, HasSubstr("worker 1 is 1.5 times slower all the time"));
  EXPECT_EQ(FaultsIn("run"), 2u);
  EXPECT_FALSE(Summary("run").contains("restarts")) << result.output;
  EXPECT_TRUE(Model("alone") == Model("run"));
}

TEST_F(InjectTest, AJobThatDoesNotAllowItIsNotBroken) {
  const ProgramResult result =
      Train("run", {"kill worker 1 at step 200"}, {"--set", "rehearsal.allow_faults=false"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("--set rehearsal.allow_faults=true"));
}

TEST_F(InjectTest, WhatCannotBeDoneIsRefused) {
  ProgramResult result = Train("run", {"kill wroker 1 at step 200"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("--inject kill wroker 1 at step 200"));
  EXPECT_THAT(result.output, HasSubstr("at character 6 stands \"wroker\""));
  result = Train("run", {"kill worker 2 at step 200"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("there is no worker 2"));
  result = Train("run", {"kill worker 1 at step 200"}, {"--in-process"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("leave out --in-process"));
}

TEST_F(InjectTest, PushesAreHitWithinOneProcessToo) {
  ASSERT_EQ(TrainAlone().exit_code, 0);
  const ProgramResult result =
      Train("run", {"drop 3% of pushes", "duplicate 3% of pushes"}, {"--in-process"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(Model("alone") == Model("run"));
  EXPECT_GT(Summary("run")["rehearsal"]["pushes"]["dropped"], 0);
}

}  // namespace
}  // namespace convoy::testing
