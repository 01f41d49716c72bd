#include "launcher/process/results_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::HasSubstr;

// The worked example of docs/run_directory.md.
constexpr char kSummary[] = R"({
  "job": "fashion_mnist",
  "mode": "sync",
  "servers": 2,
  "workers": 2,
  "threads_per_worker": 1,
  "slices": 2,
  "steps": 4690,
  "examples": 600000,
  "wall_seconds": 14.218,
  "examples_per_second": 42200.0,
  "train": {"examples": 60000, "loss": 0.2034, "accuracy": 0.92716, "macro_f1": 0.9269},
  "validation": {"examples": 10000, "loss": 0.33812, "accuracy": 0.8839, "macro_f1": 0.88352},
  "staleness": {"min": 0, "mean": 0.0, "max": 0},
  "skipped_gradients": 0,
  "bytes_sent": 3822000000,
  "bytes_received": 3822456789,
  "stopped_early": false,
  "processes": [
    {"role": "server", "rank": 0, "pid": 4102, "host": "a", "cpu_seconds": 3.52, "peak_rss_bytes": 31250000},
    {"role": "worker", "rank": 1, "pid": 4105, "host": "a", "cpu_seconds": 12.841, "peak_rss_bytes": 131000000}
  ]
})";

TEST(ResultsTableTest, AServerThatCarriesMuchMoreThanOthersIsNamed) {
  EXPECT_THAT(*RenderResults(R"({"imbalance": "server 1 carries 80 %"})"),
              HasSubstr("\nnote: server 1 carries 80 %\n"));
  EXPECT_THAT(*RenderResults(R"({"mode": "sync"})"), ::testing::Not(HasSubstr("note:")));
}

TEST(ResultsTableTest, RunMetricsAndProcessesAreAligned) {
  const auto table = RenderResults(kSummary);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(*table, R"(  ended               as planned
  mode                sync
  cluster             2 servers, 2 workers, 2 slices
  steps               4690
  examples            600000
  wall time           14.22 s
  speed               42200 examples/s
  staleness           min 0, mean 0.00, max 0
  sent to servers     3.8 GB
  received from them  3.8 GB

  metric        loss  accuracy  macro_f1
  train       0.2034    0.9272    0.9269
  validation  0.3381    0.8839    0.8835

  process    pid  cpu time  peak memory
  server 0  4102    3.52 s      31.2 MB
  worker 1  4105   12.84 s     131.0 MB
)");
}

TEST(ResultsTableTest, MetricsOfTheModelItselfHaveColumnsOfTheirOwn) {
  EXPECT_EQ(*RenderResults(R"({"train": {"loss": 1, "rmse": 2, "own": {"mine": 0.5, "bad": null}},)"
                           R"("validation": {"loss": 3, "rmse": 4, "own": {"mine": 0.25}}})"),
            R"(
  metric        loss    rmse  bad    mine
  train       1.0000  2.0000    -  0.5000
  validation  3.0000  4.0000    -  0.2500
)");
}

TEST(ResultsTableTest, OldDataStandBesideTheNewOnesAndWhatTheyHadBefore) {
  EXPECT_EQ(*RenderResults(R"({"validation": {"loss": 1, "accuracy": 0.75},)"
                           R"("validation_old": {"loss": 2, "accuracy": 0.5},)"
                           R"("before": {"validation_old": {"loss": 3, "accuracy": 0.875}}})"),
            R"(
  metric                    loss  accuracy
  validation              1.0000    0.7500
  validation_old          2.0000    0.5000
  before: validation_old  3.0000    0.8750
)");
}

TEST(ResultsTableTest, OneProcessHasNoTraffic) {
  EXPECT_EQ(*RenderResults(
                R"({"mode": "single", "servers": 0, "workers": 1, "slices": 1, "bytes_sent": 0,)"
                R"("bytes_received": 0, "staleness": {"min": 0, "mean": 0, "max": 0}})"),
            "  mode     single\n  cluster  one process without servers, 1 slice\n");
}

TEST(ResultsTableTest, SeveralThreadsOfAWorkerAreNamed) {
  EXPECT_EQ(*RenderResults(R"({"servers": 1, "workers": 2, "threads_per_worker": 3, "slices": 6})"),
            "  cluster  1 server, 2 workers of 3 threads, 6 slices\n");
  EXPECT_EQ(*RenderResults(R"({"servers": 0, "workers": 1, "threads_per_worker": 2, "slices": 2})"),
            "  cluster  one process of 2 threads without servers, 2 slices\n");
}

TEST(ResultsTableTest, DroppedGradientsAreCounted) {
  EXPECT_EQ(*RenderResults(R"({"mode": "sync,backup=1", "dropped_gradients": 12})"),
            "  mode               sync,backup=1\n  gradients dropped  12\n");
}

TEST(ResultsTableTest, RestartsAreCounted) {
  EXPECT_EQ(*RenderResults(R"({"restarts": 3, "workers_replaced": 2, "wall_seconds": 1.5})"),
            "  restarts          3\n  workers replaced  2\n  wall time         1.50 s\n");
}

TEST(ResultsTableTest, TwoClassesShowClassOne) {
  EXPECT_EQ(*RenderResults(R"({"train": {"loss": 1, "macro_f1": 0.1, "f1": 0.5, "auc": 0.75}})"),
            "\n  metric    loss      f1     auc\n  train   1.0000  0.5000  0.7500\n");
}

TEST(ResultsTableTest, AnEarlyEndIsSaid) {
  EXPECT_EQ(*RenderResults(R"({"stopped_early": true})"), "  ended  stopped early\n");
  EXPECT_EQ(*RenderResults(R"({"stopped_early": false, "failure": "NaN in layer1/weight"})"),
            "  ended  failed: NaN in layer1/weight\n");
}

TEST(ResultsTableTest, WhatIsMissingIsLeftOut) {
  EXPECT_EQ(*RenderResults(R"({"steps": 3, "validation": null, "train": {"loss": 1}})"),
            "  steps  3\n\n  metric    loss\n  train   1.0000\n");
  EXPECT_EQ(*RenderResults("{}"), "");
}

TEST(ResultsTableTest, ValuesOfAnotherTypeDoNoHarm) {
  EXPECT_TRUE(
      RenderResults(R"({"mode": 1, "staleness": 2, "processes": [1, {}], "train": []})").ok());
}

TEST(ResultsTableTest, WhatIsNoObjectIsRefused) {
  EXPECT_EQ(RenderResults("[]").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RenderResults("{").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(NextCommandsTest, ComparesWithTheOtherMode) {
  const auto after_sync =
      NextCommandsAfterTraining("convoy", "job.textproto", "runs/a", "sync", "");
  EXPECT_EQ(after_sync[2].command, "convoy train job.textproto --mode async");
  const auto after_ssp =
      NextCommandsAfterTraining("convoy", "job.textproto", "runs/a", "ssp:3", "");
  EXPECT_EQ(after_ssp[2].command, "convoy train job.textproto --mode sync");
}

TEST(NextCommandsTest, AreShownWithTheirPurpose) {
  EXPECT_THAT(RenderNextCommands(
                  NextCommandsAfterTraining("convoy", "job.textproto", "runs/a", "sync", "t.gz")),
              HasSubstr("Try next:\n  convoy evaluate runs/a --data t.gz\n      measure"));
}

TEST(NextCommandsTest, CanBePastedIntoAShell) {
  const auto next = NextCommandsAfterTraining("./my convoy", "it's.textproto", "runs/a b",
                                              "local_sgd:4", "/data/t*.gz");
  EXPECT_EQ(next[0].command, "'./my convoy' evaluate 'runs/a b' --data '/data/t*.gz'");
  EXPECT_EQ(next[1].command,
            "'./my convoy' predict 'runs/a b' --data '/data/t*.gz' --out predictions.csv");
  EXPECT_EQ(next[2].command, "'./my convoy' train 'it'\\''s.textproto' --mode sync");
  EXPECT_EQ(ShellWord("/a-b_c/d@12:e=f,g+h.0"), "/a-b_c/d@12:e=f,g+h.0");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("$HOME"), "'$HOME'");
}

TEST(ResultsTableTest, TheTestIsARowOfItsOwn) {
  EXPECT_EQ(*RenderResults(R"({"train": {"loss": 1, "accuracy": 0.5},
                               "test": {"loss": 2, "accuracy": 0.25}})"),
            "\n"
            "  metric    loss  accuracy\n"
            "  train   1.0000    0.5000\n"
            "  test    2.0000    0.2500\n");
}

}  // namespace
}  // namespace convoy
