// optimizer.anchor where workers take the steps themselves (local_sgd, geo): servers keep what
// weights are held near, so that whoever comes later has the same. What is killed, scaled or
// resumed ends with the bits of a job that was left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/math/table.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/newest_checkpoint.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDense[] = "mlp { hidden: 32 } classes: 2";
// Rows are admitted and go: an anchor goes with its row.
constexpr char kTable[] = "factorization_machine { factors: 4 }";
constexpr char kRowRule[] = "table { match: \"rows\" admit_after: 2 expire_after: 3 }\n";

class LocalAnchorTest : public ::testing::Test {
 protected:
  // The run "old", of few steps; in a table, on few examples and therefore some of the ids.
  void TrainOld(const std::string& model) {
    model_ = model;
    std::filesystem::remove_all(folder_ / "old");
    WriteFile(folder_ / "train.libsvm", ParityLines(model == kTable ? 40 : 2000));
    WriteJob("sync", "", 5, "");
    TrainWell("old", {"--set", "training.max_steps=10"});
    WriteFile(folder_ / "train.libsvm", ParityLines(2000));
  }
  void WriteJob(const std::string& mode, const std::string& optimizer, int epochs,
                const std::string& more = "init { from: \"old\" }\n") const {
    const bool table = model_ == kTable;
    WriteFile(job_, absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" ",
                                 table ? "ids: true" : "", " }\nmodel { ", model_, " }\n",
                                 table && mode.starts_with("local_sgd") ? kRowRule : "",
                                 "optimizer { adagrad {} learning_rate: 0.05 ", optimizer, " }\n",
                                 "training { mode: \"", mode, "\" epochs: ", epochs,
                                 " batch_size: 20 slices: 4 report_every_steps: 20 }\n",
                                 "cluster { servers: 2 workers: 2 }\n",
                                 "checkpoint { every_steps: 25 }\n", more));
  }
  std::vector<std::string> Command(const std::string& run,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  void TrainWell(const std::string& run, const std::vector<std::string>& more = {}) {
    const ProgramResult result = RunProgram(Command(run, more));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    output_ = result.output;
  }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  nlohmann::json Summary(const std::string& run) const {
    return nlohmann::json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  bool AwaitEvent(const std::string& run, const std::string& kind) const {
    const std::string text = absl::StrCat("\"", kind, "\"");
    for (int i = 0; i < 6000; ++i) {
      if (ReadFile(folder_ / (run + "/events.jsonl")).find(text) != std::string::npos) return true;
      SleepMs(10);
    }
    return false;
  }
  // kill -9 of some worker of the job that was not killed yet.
  bool KillAWorker(const Program& program) {
    for (const LaunchedChild& child : LaunchedChildren(program.pid())) {
      if (child.role != "worker" || !killed_.insert(child.pid).second) continue;
      return kill(child.pid, SIGKILL) == 0;
    }
    return false;
  }
  // Of "layer1/weight": the values, or those of a slot.
  std::vector<float> Weights(const std::string& run, std::optional<size_t> slot = {}) const {
    const auto checkpoint = NewestCheckpointOf(folder_ / run);
    for (size_t v = 0; v < checkpoint->variables().size(); ++v) {
      if (checkpoint->variables()[v].name != "layer1/weight") continue;
      uint64_t size = 1;
      for (const uint64_t d : checkpoint->variables()[v].shape) size *= d;
      std::vector<float> values(size);
      EXPECT_TRUE(checkpoint->Read(v, slot, 0, values).ok());
      return values;
    }
    ADD_FAILURE() << "no layer1/weight";
    return {};
  }
  // Squared distance.
  double Moved(const std::string& run, const std::string& from) const {
    const std::vector<float> now = Weights(run), before = Weights(from);
    double moved = 0;
    for (size_t i = 0; i < now.size(); ++i) moved += std::pow(now[i] - before[i], 2);
    return moved;
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  std::string model_;
  std::string output_;  // of the last training that went well
  std::set<pid_t> killed_;
};

TEST_F(LocalAnchorTest, LocalSgdHasTheSameBitsOnAnyCluster) {
  for (const std::string model : {kDense, kTable}) {
    SCOPED_TRACE(model);
    TrainOld(model);
    WriteJob("local_sgd:3", "anchor: 0.5", 2);
    const std::string name = model == kDense ? "dense" : "table";
    TrainWell(name, {"--servers", "1", "--workers", "1"});
    TrainWell(name + "-s3w2", {"--servers", "3", "--workers", "2"});
    TrainWell(name + "-s1w4", {"--servers", "1", "--workers", "4"});
    TrainWell(name + "-threads",
              {"--servers", "2", "--workers", "1", "--set", "cluster.threads_per_worker=3"});
    for (const char* other : {"-s3w2", "-s1w4", "-threads"}) {
      EXPECT_TRUE(Model(name + other) == Model(name)) << other;
    }
    TrainWell(name + "-loose", {"--set", "optimizer.anchor=0"});
    EXPECT_TRUE(Model(name + "-loose") != Model(name));
    if (model == kDense) continue;
    WriteJob("local_sgd:3", "anchor: 0.5 override { match: 'rows/.*' anchor: 0 }", 2);
    TrainWell(name + "-loose-rows");
    EXPECT_TRUE(Model(name + "-loose-rows") != Model(name));
    EXPECT_TRUE(Model(name + "-loose-rows") != Model(name + "-loose")) << "\"bias\" is held";
  }
}

// The weights of sync, but for the rounding of w + (w' - w): a local step is one of a server.
TEST_F(LocalAnchorTest, OneLocalStepOfOneWorkerIsAStepOfSync) {
  TrainOld(kDense);
  const std::vector<std::string> alone = {"--workers",         "1",     "--set",
                                          "training.slices=1", "--set", "optimizer.sgd={}"};
  WriteJob("sync", "anchor: 1", 1);
  TrainWell("sync", alone);
  WriteJob("local_sgd:1", "anchor: 1", 1);
  TrainWell("local", alone);
  WriteJob("local_sgd:1", "", 1);
  TrainWell("loose", alone);
  EXPECT_LT(Moved("local", "sync"), 1e-6 * Moved("loose", "sync"));
  EXPECT_LT(Moved("sync", "old"), Moved("loose", "old"));
}

TEST_F(LocalAnchorTest, WorkersThatAreKilledOrJoinChangeNoBit) {
  for (const std::string model : {kDense, kTable}) {
    SCOPED_TRACE(model);
    TrainOld(model);
    WriteJob("local_sgd:3", "anchor: 0.5", model == kTable ? 30 : 60);  // a table takes longer
    const std::string run = model == kDense ? "dense" : "table", alone = run + "-alone";
    TrainWell(alone);
    const uint64_t seed = std::random_device()();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    Program program(Command(run));
    ASSERT_TRUE(AwaitEvent(run, "train")) << program.Output();
    EXPECT_TRUE(KillAWorker(program));
    ASSERT_TRUE(AwaitEvent(run, "rejoined")) << program.Output();
    SleepMs(random() % 50);
    const ProgramResult scaled =
        RunProgram({CONVOY_BINARY, "control", folder_ / run, "scale", "--workers", "4"});
    EXPECT_EQ(scaled.exit_code, 0) << scaled.output << program.Output();
    const ProgramResult result = program.Wait();
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_GE(Summary(run).value("workers_replaced", 0), 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr("goes on with 4 workers instead of 2 at step "));
    EXPECT_THAT(result.output, Not(HasSubstr("starting again")));
    EXPECT_TRUE(Model(run) == Model(alone)) << result.output;
  }
}

// Nothing is read again of what the job began with: its run is gone.
TEST_F(LocalAnchorTest, AKilledJobGoesOnWithTheAnchorsOfItsCheckpointOnOtherServers) {
  for (const std::string model : {kDense, kTable}) {
    SCOPED_TRACE(model);
    TrainOld(model);
    WriteJob("local_sgd:3", "anchor: 0.5", 15);
    const std::string run = model == kDense ? "dense" : "table", alone = run + "-alone";
    TrainWell(alone);
    Program program(Command(run));
    ASSERT_TRUE(AwaitEvent(run, "checkpoint")) << program.Output();
    kill(-program.pid(), SIGKILL);
    program.Signal(SIGKILL);
    program.Wait();
    std::filesystem::rename(folder_ / "old", folder_ / ("old-" + run));
    TrainWell(run, {"--resume", "--servers", "3", "--workers", "1"});
    EXPECT_THAT(output_, HasSubstr("goes on from step"));
    EXPECT_TRUE(Model(run) == Model(alone)) << output_;
    const auto checkpoint = NewestCheckpointOf(folder_ / run);
    if (model == kTable) {
      ASSERT_EQ(checkpoint->manifest().tables.size(), 1u);
      for (const auto& slot : checkpoint->manifest().tables[0].slots)
        EXPECT_THAT(slot.name, ::testing::EndsWith("/anchor"));
      EXPECT_EQ(checkpoint->manifest().tables[0].slot_floats(),
                checkpoint->manifest().tables[0].dim());
      continue;
    }
    EXPECT_THAT(checkpoint->manifest().slots.at("layer1/weight"), ElementsAre("anchor"));
    EXPECT_EQ(Weights(run, 0), Weights("old-" + run)) << "the weights that were loaded";
  }
}

TEST_F(LocalAnchorTest, WhatIsFrozenOrHasNoAnchorByAnOverrideTakesNoSlot) {
  TrainOld(kDense);
  WriteJob("local_sgd:2",
           "anchor: 0.5 freeze: 'layer1/bias' override { match: 'head/.*' anchor: 0 }", 1);
  TrainWell("run");
  EXPECT_THAT(output_, HasSubstr("anchored"));
  const auto checkpoint = NewestCheckpointOf(folder_ / "run");
  EXPECT_THAT(checkpoint->manifest().slots.at("layer1/weight"), ElementsAre("anchor"));
  EXPECT_EQ(checkpoint->manifest().slots.size(), 1u);
}

TEST_F(LocalAnchorTest, GeoStaysNearTheLoadedWeightsAlsoWhenAWorkerIsKilled) {
  TrainOld(kDense);
  std::map<std::string, double> moved;
  for (const char* strength : {"0", "0.2", "2"}) {
    WriteJob("geo:3", absl::StrCat("anchor: ", strength), 20);
    const std::string run = absl::StrCat("geo", strength);
    Program program(Command(run, {"--set", "optimizer.sgd={}"}));
    ASSERT_TRUE(AwaitEvent(run, "train")) << program.Output();
    EXPECT_TRUE(KillAWorker(program));
    const ProgramResult result = program.Wait();
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(Summary(run)["examples"], 20 * 2000);
    moved[strength] = Moved(run, "old");
  }
  EXPECT_LT(moved["0.2"], moved["0"]);
  EXPECT_LT(moved["2"], 0.5 * moved["0.2"]);
}

TEST_F(LocalAnchorTest, InGeoRowsAreHeldToo) {
  TrainOld(kTable);
  std::map<std::string, double> moved;
  const auto rows_of = [&](const std::string& run) {
    std::map<uint64_t, std::vector<float>> rows;
    const auto checkpoint = NewestCheckpointOf(folder_ / run);
    const size_t dim = checkpoint->manifest().tables[0].dim();
    for (uint32_t bucket = 0; bucket < kTableBuckets; ++bucket) {
      BucketRows read;
      EXPECT_TRUE(checkpoint->ReadBucket(0, bucket, &read).ok());
      for (size_t i = 0; i < read.ids.size(); ++i) {
        const auto begin = read.weights.begin() + static_cast<std::ptrdiff_t>(i * dim);
        rows[read.ids[i]].assign(begin, begin + static_cast<std::ptrdiff_t>(dim));
      }
    }
    return rows;
  };
  const auto old = rows_of("old");
  ASSERT_FALSE(old.empty());
  for (const char* strength : {"0", "2"}) {
    WriteJob("geo:3", absl::StrCat("anchor: ", strength), 4);
    TrainWell(absl::StrCat("geo", strength), {"--set", "optimizer.sgd={}"});
    const auto now = rows_of(absl::StrCat("geo", strength));
    for (const auto& [id, row] : old) {
      ASSERT_EQ(now.at(id).size(), row.size());
      for (size_t c = 0; c < row.size(); ++c)
        moved[strength] += std::pow(now.at(id)[c] - row[c], 2);
    }
  }
  EXPECT_LT(moved["2"], 0.2 * moved["0"]);
}

}  // namespace
}  // namespace convoy::testing
