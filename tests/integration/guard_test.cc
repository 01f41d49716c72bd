// What keeps a training from forgetting, as a user meets it: anchors (optimizer.anchor), replay and
// the metrics of the old data (data.old). On any number of servers and workers, and killed on the
// way, the bits are the same.
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
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"
#include "common/optimizers/anchored.h"
#include "tests/testing/newest_checkpoint.h"
#include "tests/testing/run_program.h"
#include "tests/testing/toy_images.h"

namespace convoy::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Lines of libsvm with ids: four of 50 each, from `first` on.
std::string IdLines(uint64_t count, uint64_t first) {
  std::string text;
  for (uint64_t i = 0; i < count; ++i) {
    const RandomStream random(first, "line", i);
    std::string line;
    uint64_t odd = 0;
    for (uint64_t field = 0; field < 4; ++field) {
      const uint64_t id = first + 50 * field + random.Below(field, 50);
      odd += id % 2;
      absl::StrAppend(&line, " ", id, ":1");
    }
    absl::StrAppend(&text, odd >= 2 ? 1 : 0, line, "\n");
  }
  return text;
}

constexpr char kOldImages[] = "keep_classes: 0 keep_classes: 1 keep_classes: 2";

class GuardTest : public ::testing::Test {
 protected:
  // The old job knows the classes 0, 1 and 2 of small images, or 600 lines of ids; its run is
  // "old".
  void TrainOldImages(uint32_t examples = 400) {
    WriteToyImages({.examples = examples}, folder_ / "toy");
    WriteImageJob(absl::StrCat(kOldImages, " validation { fraction: 0.2 }"), "", "");
    TrainWell("old", {"--epochs", "3", "--servers", "2", "--workers", "2"});
  }
  void TrainOldTable() {
    WriteFile(folder_ / "old.libsvm", IdLines(600, 1));
    WriteFile(folder_ / "new.libsvm", IdLines(600, 101));  // half of the ids are new
    WriteTableJob("old.libsvm", "", "");
    TrainWell("old", {"--workers", "2"});
  }
  void WriteImageJob(const std::string& data, const std::string& optimizer,
                     const std::string& more) {
    WriteFile(job_,
              absl::StrCat("data { train: \"toy-images-idx3-ubyte\" cache_dir: \"cache\" ", data,
                           " }\nmodel { mlp { hidden: 16 dropout: 0.1 } }\n",
                           "optimizer { adam {} learning_rate: 0.01 ", optimizer, " }\n",
                           "training { epochs: ", epochs_, " batch_size: 20 slices: 6 }\n", more));
  }
  void WriteTableJob(const std::string& file, const std::string& data, const std::string& optimizer,
                     const std::string& more = "") {
    WriteFile(
        job_,
        absl::StrCat("data { train: \"", file, "\" cache_dir: \"cache\" ids: true ", data, " }\n",
                     "model { factorization_machine { factors: 4 } }\n"
                     "optimizer { adagrad {} learning_rate: 0.1 ",
                     optimizer, " }\n", "training { epochs: 2 batch_size: 50 slices: 6 }\n", more));
  }
  // Class 3 is new; the others are replayed and measured.
  void WriteNewImageJob(const std::string& optimizer, const std::string& more = "") {
    WriteImageJob(absl::StrCat("keep_classes: 3 validation { fraction: 0.2 } old { ", kOldImages,
                               " path: \"toy-images-idx3-ubyte\" replay: 0.4 "
                               "validation { fraction: 0.2 } }"),
                  optimizer, absl::StrCat("init { from: \"old\" widen: \"head/.*\" }\n", more));
  }
  void WriteNewTableJob(const std::string& optimizer) {
    WriteTableJob("new.libsvm",
                  "validation { fraction: 0.1 } "
                  "old { path: \"old.libsvm\" replay: 0.3 validation { fraction: 0.1 } }",
                  optimizer, "init { from: \"old\" }\n");
  }

  std::vector<std::string> Command(const std::string& run, std::vector<std::string> more) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", job_, "--run-dir", folder_ / run};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  void TrainWell(const std::string& run, std::vector<std::string> more = {}) {
    const ProgramResult result = RunProgram(Command(run, std::move(more)));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    output_ = result.output;
  }
  std::string Refusal(std::vector<std::string> more = {}) {
    const ProgramResult result =
        RunProgram(Command(absl::StrCat("refused", refused_++), std::move(more)));
    EXPECT_NE(result.exit_code, 0);
    return result.output;
  }
  std::string Model(const std::string& run) const {
    return ReadFile(folder_ / (run + "/model.safetensors"));
  }
  json Summary(const std::string& run) const {
    return json::parse(ReadFile(folder_ / (run + "/summary.json")));
  }
  std::vector<json> Events(const std::string& run, const std::string& kind) const {
    std::vector<json> events;
    std::istringstream lines(ReadFile(folder_ / (run + "/events.jsonl")));
    for (std::string line; std::getline(lines, line);) {
      json event = json::parse(line);
      if (event["kind"] == kind) events.push_back(std::move(event));
    }
    return events;
  }
  // Values of a variable in the newest checkpoint, or of one of its slots.
  std::vector<float> Stored(const std::string& run, const std::string& variable,
                            const std::string& slot = "") const {
    const auto checkpoint = NewestCheckpointOf(folder_ / run);
    for (size_t v = 0; v < checkpoint->variables().size(); ++v) {
      const auto& found = checkpoint->variables()[v];
      if (found.name != variable) continue;
      uint64_t size = 1;
      for (const uint64_t d : found.shape) size *= d;
      std::vector<float> values(size);
      std::optional<size_t> number;
      for (size_t s = 0; s < found.slots.size(); ++s) {
        if (found.slots[s] == slot) number = s;
      }
      EXPECT_EQ(number.has_value(), !slot.empty()) << variable << " " << slot;
      EXPECT_TRUE(checkpoint->Read(v, number, 0, values).ok());
      return values;
    }
    ADD_FAILURE() << variable;
    return {};
  }
  void ExpectTheSameBitsOnAnyCluster() {
    TrainWell("single", {"--mode", "single"});
    for (int servers = 1; servers <= 3; ++servers) {
      for (int workers = 1; workers <= 3; ++workers) {
        const std::string run = absl::StrCat("s", servers, "w", workers);
        TrainWell(run, {"--servers", absl::StrCat(servers), "--workers", absl::StrCat(workers)});
        EXPECT_TRUE(Model(run) == Model("single")) << run;
      }
    }
  }
  // Kills the job again and again, then lets it end.
  void KillAndResume(const std::string& run, const std::vector<std::string>& last) {
    const uint64_t seed = std::random_device()();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    for (int i = 0; i < 3; ++i) {
      Program program(Command(run, {"--resume=auto"}));
      SleepMs(150 + random() % 900);
      kill(-program.pid(), SIGKILL);
      program.Signal(SIGKILL);
      program.Wait();
    }
    std::vector<std::string> more = {"--resume=auto"};
    more.insert(more.end(), last.begin(), last.end());
    TrainWell(run, more);
  }

  TemporaryFolder folder_;
  const std::string job_ = folder_ / "job.textproto";
  std::string output_;  // of the last training that went well
  int epochs_ = 2;
  int refused_ = 0;
};

TEST_F(GuardTest, AnchorAndReplayGiveTheSameBitsOnAnyCluster) {
  TrainOldImages();
  WriteNewImageJob("anchor: 0.05");
  ExpectTheSameBitsOnAnyCluster();
  TrainWell("loose", {"--set", "optimizer.anchor=0"});
  EXPECT_TRUE(Model("loose") != Model("single"));
  TrainWell("fewer", {"--set", "data.old.replay=0.3"});
  EXPECT_TRUE(Model("fewer") != Model("single"));
}

TEST_F(GuardTest, RowsOfTablesAreHeldAndReplayedWithTheSameBitsToo) {
  TrainOldTable();
  WriteNewTableJob("anchor: 0.05");
  ExpectTheSameBitsOnAnyCluster();
  TrainWell("loose", {"--set", "optimizer.anchor=0"});
  EXPECT_TRUE(Model("loose") != Model("single"));
}

TEST_F(GuardTest, AKilledJobEndsWithTheBitsOfOneLeftAlone) {
  TrainOldImages(2000);
  epochs_ = 12;
  WriteNewImageJob("anchor: 0.05",
                   "checkpoint { every_steps: 10 }\ncluster { servers: 2 workers: 2 }\n");
  TrainWell("alone");
  KillAndResume("killed", {"--servers", "3", "--workers", "1"});
  EXPECT_TRUE(Model("killed") == Model("alone"));
  EXPECT_EQ(Stored("killed", "layer1/weight", "anchor"), Stored("old", "layer1/weight"));
  EXPECT_EQ(Summary("killed")["examples"], Summary("alone")["examples"]);
}

// Anchors are those of the checkpoint: nothing is read of what the job began with.
TEST_F(GuardTest, AJobGoesOnWithItsAnchorsThoughTheOldRunIsGone) {
  TrainOldTable();
  WriteNewTableJob("anchor: 0.05");
  TrainWell("alone");
  TrainWell("half", {"--set", "training.max_steps=15"});
  std::filesystem::remove_all(folder_ / "old");
  TrainWell("half", {"--resume", "--servers", "2"});
  EXPECT_THAT(output_, HasSubstr("goes on from step 15"));
  EXPECT_TRUE(Model("half") == Model("alone"));
}

TEST_F(GuardTest, AnchorsAreTheLoadedWeightsAndWhatIsWidenedOrNewHasNone) {
  TrainOldImages();
  WriteNewImageJob("anchor: 0.05 freeze: 'layer1/bias'");
  TrainWell("new", {"--servers", "2"});
  EXPECT_THAT(output_, HasSubstr("slots m, v; anchored"));
  EXPECT_EQ(Stored("new", "layer1/weight", "anchor"), Stored("old", "layer1/weight"));
  const std::vector<float> old = Stored("old", "head/weight");
  const std::vector<float> anchors = Stored("new", "head/weight", "anchor");
  ASSERT_EQ(anchors.size(), 16u * 4);
  for (size_t i = 0; i < anchors.size(); ++i) {
    const bool is_new = i % 4 == 3;
    EXPECT_EQ(anchors[i], is_new ? kNotAnchored : old[i / 4 * 3 + i % 4]) << i;
    EXPECT_EQ(is_new, anchors[i] == 0 && std::signbit(anchors[i])) << i;
  }
  const auto checkpoint = NewestCheckpointOf(folder_ / "new");
  EXPECT_THAT(checkpoint->manifest().slots.at("layer1/bias"), ElementsAre("m", "v"));
  // A training after it loads slots, and its anchors are the weights that it begins with.
  WriteImageJob("", "anchor: 0.05", "init { from: \"new\" }\n");
  TrainWell("newest");
  EXPECT_EQ(Stored("newest", "layer1/weight", "anchor"), Stored("new", "layer1/weight"));
  EXPECT_THAT(output_, HasSubstr("slots m, v; anchored"));
}

TEST_F(GuardTest, AStrongAnchorKeepsWeightsNearWhereTheyWere) {
  TrainOldImages();
  std::map<std::string, double> moved;
  for (const char* mode : {"sync", "async", "ssp:1"}) {
    for (const char* strength : {"0", "0.1", "10"}) {
      WriteNewImageJob(absl::StrCat("anchor: ", strength));
      const std::string run = absl::StrCat(mode, strength);
      TrainWell(run,
                {"--workers", "2", "--epochs", "4", "--mode", mode, "--set", "data.old.replay=0"});
      const std::vector<float> old = Stored("old", "layer1/weight");
      const std::vector<float> now = Stored(run, "layer1/weight");
      for (size_t i = 0; i < now.size(); ++i) moved[strength] += std::pow(now[i] - old[i], 2);
    }
    EXPECT_LT(moved["10"], 0.5 * moved["0"]) << mode;
    EXPECT_LT(moved["0.1"], moved["0"]) << mode;
  }
}

// Of the 400 images 105 are of class 3; of the fifth that is held back 19 are.
constexpr int kFresh = 86, kFreshHeldBack = 19, kOld = 234, kOldHeldBack = 61;
constexpr int kReplayed = 57;  // 86 * 0.4 / 0.6

TEST_F(GuardTest, OldDataAreMeasuredBesideTheNewOnesInAllModes) {
  TrainOldImages();
  WriteNewImageJob("freeze: '.*'");
  TrainWell("begin", {"--mode", "single"});
  const json begin = Summary("begin");
  for (const char* mode :
       {"sync", "sync,backup=1", "single", "local_sgd:2", "geo:2", "async", "ssp:1"}) {
    SCOPED_TRACE(mode);
    const std::string run = absl::StrCat("new-", mode);
    WriteNewImageJob("");
    std::vector<std::string> more = {"--workers", "2", "--mode", mode};
    TrainWell(run, more);
    const json summary = Summary(run);
    if (std::string(mode) != "sync,backup=1") {  // whose backups' examples do not count
      EXPECT_EQ(summary["examples"], 2 * (kFresh + kReplayed));
    }
    EXPECT_EQ(summary["validation"]["examples"], kFreshHeldBack);
    EXPECT_EQ(summary["validation_old"]["examples"], kOldHeldBack);
    EXPECT_THAT(output_, HasSubstr("validation_old"));
    EXPECT_GE(Events(run, "validation_old").size(), 2u);
    EXPECT_EQ(Events(run, "validation").size(), Events(run, "validation_old").size());
    const bool steps = std::string(mode) == "single" || std::string(mode).starts_with("sync") ||
                       std::string(mode).starts_with("local");
    EXPECT_EQ(summary.contains("before"), steps);
    if (!steps) continue;
    EXPECT_EQ(Events(run, "validation_old")[0]["step"], 0);
    for (const char* part : {"validation", "validation_old"}) {
      EXPECT_EQ(summary["before"][part]["examples"], begin[part]["examples"]);
      EXPECT_EQ(summary["before"][part]["accuracy"], begin[part]["accuracy"]);
      EXPECT_NEAR(summary["before"][part]["loss"], begin[part]["loss"].get<double>(), 1e-6);
    }
    EXPECT_THAT(output_, HasSubstr("before: validation_old"));
  }
}

TEST_F(GuardTest, CheckSaysWhatAnEpochHasAndCountsTheSlotOfTheAnchor) {
  TrainOldImages();
  WriteNewImageJob("anchor: 0.05");
  const ProgramResult result = RunProgram({CONVOY_BINARY, "check", job_});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(
      result.output,
      AllOf(HasSubstr(absl::StrCat(kOld, ", of which an epoch has ", kReplayed)),
            HasSubstr(absl::StrCat(kFresh + kReplayed, " examples")), HasSubstr("anchored")));
}

TEST_F(GuardTest, WhatCanNotWorkIsRefusedBeforeTheFirstStep) {
  TrainOldImages();
  WriteNewImageJob("anchor: 0.05");
  EXPECT_THAT(Refusal({"--freeze", ".*"}), HasSubstr("what is frozen or new needs no anchor"));
  EXPECT_THAT(Refusal({"--set", "optimizer.ftrl={}"}), HasSubstr("whose rule is ftrl"));
  EXPECT_THAT(Refusal({"--set", "data.old.keep_classes=7"}), HasSubstr("is of class 7"));
  WriteImageJob("", "anchor: 0.05", "");
  EXPECT_THAT(Refusal(), HasSubstr("set init.from"));
}

}  // namespace
}  // namespace convoy::testing
