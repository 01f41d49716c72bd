// Jobs with embedding tables from the command line: all modes, evaluate and predict,
// limits, mistakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/files/safetensors_reader.h"
#include "common/math/random.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

// Ids come in pairs 2k and 2k + 1; the label is 1 if two of the three ids are odd: learnt by
// weights alone. Then an id that never comes again.
std::string Lines(uint64_t first, uint64_t count) {
  std::string text;
  for (uint64_t i = first; i < first + count; ++i) {
    const RandomStream random(1, "line", i);
    uint64_t odd = 0;
    std::string line;
    for (uint64_t field = 0; field < 3; ++field) {
      const uint64_t id = random.Below(field, 200) + 1000 * field;
      odd += id % 2;
      absl::StrAppend(&line, " ", field, ":", id, ":1");
    }
    absl::StrAppend(&text, odd >= 2 ? 1 : 0, line, " 3:", (uint64_t{1} << 62) + i, ":1\n");
  }
  return text;
}

class TableCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteFile(folder_ / "train.ffm", Lines(0, 4000));
    WriteFile(folder_ / "test.ffm", Lines(100'000, 1000));
    WriteJob("");
  }
  void WriteJob(const std::string& more) {
    WriteFile(
        job_,
        "data { train: \"train.ffm\" cache_dir: \"cache\" validation { path: \"test.ffm\" } }\n"
        "model { factorization_machine { factors: 4 } }\n"
        "optimizer { adagrad { initial_accumulator: 0.1 } learning_rate: 0.2 }\n"
        "training { epochs: 4 batch_size: 100 }\n"
        "cluster { servers: 2 workers: 2 }\n" +
            more);
  }
  ProgramResult Train(const std::string& mode, const std::string& run) {
    return RunProgram({CONVOY_BINARY, "train", job_, "--mode", mode, "--run-dir", folder_ / run});
  }
  uint64_t SavedRows(const std::string& run) {
    return (*SafetensorsReader::Open(folder_ / (run + "/model.safetensors")))
        ->Find("rows/ids")
        ->shape[0];
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
};

TEST_F(TableCommandTest, EveryModeLearnsAndSaysSoOnOtherData) {
  for (const char* mode : {"sync", "sync,backup=1", "async", "async,scale_by_staleness", "ssp:2",
                           "local_sgd:4", "geo:4", "single"}) {
    SCOPED_TRACE(mode);
    const std::string run = std::string("run-") + mode;
    const ProgramResult trained = Train(mode, run);
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const ProgramResult measured =
        RunProgram({CONVOY_BINARY, "evaluate", folder_ / run, "--data", folder_ / "test.ffm"});
    ASSERT_EQ(measured.exit_code, 0) << measured.output;
    EXPECT_GT(nlohmann::json::parse(measured.output)["auc"].get<double>(), 0.9) << measured.output;
    if (std::string(mode) == "sync,backup=1") continue;  // slices that come late are dropped
    const auto summary = nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
    EXPECT_EQ(summary["examples"], 16000);
    EXPECT_GE(SavedRows(run), 4500u) << "600 ids of three fields and one of each example";
    EXPECT_LE(SavedRows(run), 4600u);
  }
}

// Every example counts once, and every id gets its row, however many threads share a batch.
TEST_F(TableCommandTest, EveryModeLearnsWithSeveralThreadsAWorker) {
  for (const char* mode : {"sync", "sync,backup=1", "async", "async,scale_by_staleness", "ssp:2",
                           "local_sgd:4", "geo:4", "single"}) {
    SCOPED_TRACE(mode);
    const std::string run = std::string("threads-") + mode;
    const ProgramResult trained =
        RunProgram({CONVOY_BINARY, "train", job_, "--mode", mode, "--set",
                    "cluster.threads_per_worker=3", "--run-dir", folder_ / run});
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const auto summary = nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
    EXPECT_GT(summary["validation"]["auc"].get<double>(), 0.9);
    if (std::string(mode) == "sync,backup=1") continue;  // slices that come late are dropped
    EXPECT_EQ(summary["examples"], 16000);
    EXPECT_GE(SavedRows(run), 4500u);
    EXPECT_LE(SavedRows(run), 4600u);
  }
}

TEST_F(TableCommandTest, LocalStepsLearnByFtrl) {
  for (const char* mode : {"local_sgd:4", "geo:4"}) {
    SCOPED_TRACE(mode);
    const std::string run = std::string("ftrl-") + mode;
    const ProgramResult trained = RunProgram({CONVOY_BINARY, "train", job_, "--mode", mode, "--set",
                                              "optimizer.ftrl={}", "--run-dir", folder_ / run});
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const auto summary = nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
    EXPECT_GT(summary["validation"]["auc"].get<double>(), 0.9);
  }
  const ProgramResult refused =
      RunProgram({CONVOY_BINARY, "train", job_, "--mode", "geo:4", "--set", "optimizer.ftrl={}",
                  "--set", "optimizer.l1=0.1"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, HasSubstr("set l1: 0, or use another mode or optimizer"));
}

// Batches of 4 examples, of which two thirds are nothing but a label: many slices, and parts of
// threads, read no row at all.
TEST_F(TableCommandTest, LinesWithoutIdsAreExamplesThatReadNoRow) {
  std::string text;
  for (int i = 0; i < 90; ++i) absl::StrAppend(&text, i % 2, i % 3 == 0 ? " 1:7:1" : "", "\n");
  WriteFile(folder_ / "train.ffm", text);
  WriteFile(folder_ / "test.ffm", "1\n0 1:7:1\n0\n");
  for (const char* mode : {"sync", "async", "local_sgd:2", "geo:2", "single"}) {
    for (const char* threads : {"1", "2"}) {
      SCOPED_TRACE(absl::StrCat(mode, ", threads ", threads));
      const std::string run = absl::StrCat("empty-", mode, threads);
      const ProgramResult trained =
          RunProgram({CONVOY_BINARY, "train", job_, "--mode", mode, "--batch-size", "4", "--epochs",
                      "1", "--set", absl::StrCat("cluster.threads_per_worker=", threads),
                      "--run-dir", folder_ / run});
      ASSERT_EQ(trained.exit_code, 0) << trained.output;
      const auto summary = nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
      EXPECT_EQ(summary["examples"], 90);
      EXPECT_EQ(SavedRows(run), 1u);
    }
  }
}

TEST_F(TableCommandTest, ModesAreComparedAsWithDenseModels) {
  const std::string out = folder_ / "report";
  const ProgramResult compared =
      RunProgram({CONVOY_BINARY, "compare", job_, "--mode", "sync", "--mode", "async", "--mode",
                  "local_sgd:4", "--slow-worker", "1=3x", "--link", "1gbit,1ms", "--target",
                  "validation/auc=0.8", "--seeds", "1", "--out", out});
  ASSERT_EQ(compared.exit_code, 0) << compared.output;
  const auto report = nlohmann::json::parse(ReadFile(out + "/report.json"));
  EXPECT_EQ(report["link_is_modelled"], true);
  ASSERT_EQ(report["modes"].size(), 4u);
  EXPECT_EQ(report["modes"][1]["last"], report["modes"][0]["last"])
      << "single has the bits of sync";
  for (const auto& run : report["runs"]) EXPECT_EQ(run["examples"], 16000) << run["directory"];
  for (const auto& mode : report["modes"]) {
    SCOPED_TRACE(mode["name"]);
    EXPECT_EQ(mode["reached"], 1);
    if (mode["name"] == "single") continue;
    EXPECT_GT(mode["bytes"]["median"], 100'000) << "rows and gradients";
  }
  EXPECT_GT(ReadFile(out + "/report.html").size(), 10'000u);
}

// A round reads rows at several moments: none of them may count as older than it is.
TEST_F(TableCommandTest, GeoOfOneWorkerIsNeverStale) {
  const ProgramResult trained = RunProgram({CONVOY_BINARY, "train", job_, "--mode", "geo:4",
                                            "--workers", "1", "--run-dir", folder_ / "run"});
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const auto summary = nlohmann::json::parse(ReadFile(folder_ / "run/summary.json"));
  EXPECT_EQ(summary["staleness"]["max"], 0);
}

// Some of its rows are kept from when they were counted, the others are read again.
TEST_F(TableCommandTest, ATableOfManyMegabytesIsSavedAsByOneProcess) {
  WriteFile(folder_ / "train.ffm", Lines(0, 12'000));  // and 600 ids that come again: 12,600 rows
  const auto train = [&](const std::string& mode) {
    const ProgramResult result = RunProgram(
        {CONVOY_BINARY, "train", job_, "--mode", mode, "--run-dir", folder_ / mode, "--epochs", "1",
         "--set", "model.factorization_machine.factors=512", "--set", "training.slices=4"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return ReadFile(folder_ / (mode + "/model.safetensors"));
  };
  const std::string of_servers = train("sync");
  EXPECT_GT(of_servers.size(), 24u << 20);
  EXPECT_TRUE(of_servers == train("single"));
}

TEST_F(TableCommandTest, PredictKnowsIdsThatWereNeverSeen) {
  ASSERT_EQ(Train("async", "run").exit_code, 0);
  WriteFile(folder_ / "new.ffm", "0 0:1:1 1:1001:1 2:2001:1\n0 0:777777777:1 1:888888888:1\n0\n");
  const ProgramResult predicted =
      RunProgram({CONVOY_BINARY, "predict", folder_ / "run", "--data", folder_ / "new.ffm"});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.output;
  const std::vector<std::string> lines = absl::StrSplit(predicted.output, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 4u) << predicted.output;
  EXPECT_THAT(lines[1], HasSubstr("0,1,")) << "three odd ids";
}

TEST_F(TableCommandTest, RulesDecideWhichIdsHaveRows) {
  WriteJob("table { admit_after: 3 }\n");
  ASSERT_EQ(Train("sync", "admitted").exit_code, 0);
  EXPECT_LE(SavedRows("admitted"), 4600u);
  WriteJob("table { admit_after: 5 }\n");  // once an epoch, 4 epochs
  ASSERT_EQ(Train("sync", "never").exit_code, 0);
  EXPECT_LE(SavedRows("never"), 600u) << "ids of one example do not come often enough";
  EXPECT_GE(SavedRows("never"), 590u);
  WriteJob("table { max_rows: 2048 when_full: EVICT_OLDEST }\n");
  ASSERT_EQ(Train("async", "budget").exit_code, 0);
  EXPECT_LE(SavedRows("budget"), 2048u);
  const auto server = [this](const std::string& run) {
    const auto summary = nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
    for (const auto& process : summary["processes"]) {
      if (process["role"] == "server") return process;
    }
    return nlohmann::json();
  };
  EXPECT_GT(server("budget")["table_evicted_rows"], 0);
  EXPECT_GE(server("budget")["table_admitted_ids"], server("budget")["table_rows"]);
  WriteJob("table { max_rows: 2048 }\n");
  const ProgramResult full = Train("async", "full");
  ASSERT_EQ(full.exit_code, 0) << full.output;
  EXPECT_THAT(full.output, HasSubstr("an embedding table is full on server "));
  EXPECT_GT(server("full")["table_refused_ids"], 0);
}

TEST_F(TableCommandTest, CheckSaysWhatARowTakes) {
  const ProgramResult result = RunProgram({CONVOY_BINARY, "check", job_, "--gradients"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("weight 1, factors 4"));
  EXPECT_THAT(result.output, HasSubstr(" 72\n")) << "5 weights, 5 slots, 32 bytes";
  EXPECT_THAT(result.output, HasSubstr("rows/factors"));
  const ProgramResult local =
      RunProgram({CONVOY_BINARY, "check", job_, "--set", "training.mode=geo:4"});
  EXPECT_THAT(local.output, HasSubstr(" 52\n")) << "no slots on the server";
}

TEST_F(TableCommandTest, MistakesAreNamedBeforeAnythingStarts) {
  WriteJob("table { match: \"(\" }\ntable { max_rows: 7 }\ntable { when_full: EVICT_OLDEST }\n");
  ProgramResult result = RunProgram({CONVOY_BINARY, "train", job_});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("table[0].match must be an RE2 regular expression"));
  EXPECT_THAT(result.output, HasSubstr("table[1].max_rows must be 0 (no limit) or at least 1024"));
  WriteJob("table { when_full: EVICT_OLDEST }\n");
  EXPECT_THAT(RunProgram({CONVOY_BINARY, "train", job_}).output,
              HasSubstr("EVICT_OLDEST needs a budget"));
  WriteJob("table { max_mb: 0.01 }\n");
  result = Train("sync", "small");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("want at least 1024 rows"));
}

}  // namespace
}  // namespace convoy::testing
