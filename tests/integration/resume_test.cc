// Jobs that are killed and go on: with the bits of a job that was left alone in the modes with
// steps, and with every batch counted once in the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/base_checkpoint.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/manifest.h"
#include "tests/integration/resume_fixture.h"
#include "tests/testing/await_epoch.h"
#include "tests/testing/cell_counts.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ResumeTest, AJobThatWasKilledAtRandomMomentsEndsWithTheBitsOfOneLeftAlone) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (const char* model : {kDense, kTable}) {
    for (const char* mode : {"sync", "local_sgd:2", "single"}) {
      if (model == kTable && std::string(mode) == "local_sgd:2") continue;
      SCOPED_TRACE(absl::StrCat(mode, " ", model));
      WriteJob(model, mode, "checkpoint { every_steps: 20 deltas: 3 }\n");
      const std::string name = absl::StrCat(mode, model == kTable);
      const ProgramResult alone = RunProgram(Command("alone" + name));
      ASSERT_EQ(alone.exit_code, 0) << alone.output;
      std::vector<int> delays;
      for (int i = 0; i < 4; ++i) delays.push_back(static_cast<int>(150 + random() % 900));
      const ProgramResult resumed = KillAndResume("killed" + name, delays);
      ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
      EXPECT_EQ(Model("alone" + name), Model("killed" + name));
      EXPECT_EQ(Summary("alone" + name)["steps"], Summary("killed" + name)["steps"]);
      EXPECT_EQ(Summary("alone" + name)["examples"], Summary("killed" + name)["examples"]);
    }
  }
}

class DeltaTest : public ResumeTest {
 protected:
  // Trains a part of a job with a table, and removes what was saved after the newest delta
  // checkpoint.
  void TrainUpToADelta() {
    WriteJob(kTable, "sync", "checkpoint { every_steps: 10 keep_last: 1000 deltas: 2 }\n");
    const ProgramResult half = RunProgram(Command("run", {"--set", "training.max_steps=320"}));
    ASSERT_EQ(half.exit_code, 0) << half.output;
    const auto bases = BasesOf(Stored()).known;
    ASSERT_FALSE(bases.empty());
    std::tie(delta_, base_) = *bases.rbegin();
    for (const StoredCheckpoint& checkpoint : Stored()) {
      if (checkpoint.step > delta_) std::filesystem::remove_all(checkpoint.path);
    }
  }
  std::vector<StoredCheckpoint> Stored() const { return *ListCheckpoints(run_ + "/checkpoints"); }
  ProgramResult Checkpoint(const std::string& command, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {CONVOY_BINARY, "checkpoint", command, run_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }

  const std::string run_ = folder_ / "run";
  uint64_t delta_ = 0, base_ = 0;  // steps
};

TEST_F(DeltaTest, IsKeptWithItsBasesAndHoldsTheWholeModel) {
  TrainUpToADelta();
  ASSERT_EQ(RunProgram(Command("alone")).exit_code, 0);
  const ProgramResult pruned = Checkpoint("prune", {"--keep-last", "1"});
  ASSERT_EQ(pruned.exit_code, 0) << pruned.output;
  const std::vector<StoredCheckpoint> kept = Stored();
  ASSERT_GE(kept.size(), 2u);
  EXPECT_LE(kept.size(), 3u) << "two changes in a row and a complete one";
  EXPECT_EQ(kept.back().step, delta_);
  EXPECT_THAT(Checkpoint("list").output, HasSubstr(absl::StrCat("since ", base_)));
  const ProgramResult verified = Checkpoint("verify");
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  const ProgramResult whole = RunProgram(Command("run", {"--resume", "--servers", "3"}));
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  EXPECT_THAT(whole.output, HasSubstr(absl::StrCat("goes on from step ", delta_)));
  EXPECT_EQ(Model("alone"), Model("run"));
}

TEST_F(DeltaTest, IsOfNoUseWithADamagedBase) {
  TrainUpToADelta();
  const std::vector<StoredCheckpoint> stored = Stored();
  ASSERT_GT(stored.size(), 4u);
  const std::string file =
      run_ + "/checkpoints/" + CheckpointName(base_) + "/server-0-of-2.safetensors";
  std::string bytes = ReadFile(file);
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  WriteFile(file, bytes);
  const ProgramResult verified = Checkpoint("verify");
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_THAT(verified.output, HasSubstr(CheckpointName(delta_) + "  can't be used"));
  EXPECT_THAT(verified.output, HasSubstr("is a change of another checkpoint"));
  const ProgramResult resumed = RunProgram(Command("run", {"--resume"}));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_THAT(resumed.output, HasSubstr("goes on from step "));
  EXPECT_THAT(resumed.output, Not(HasSubstr(absl::StrCat("goes on from step ", delta_))));
}

TEST_F(DeltaTest, IsOfNoUseWithoutItsBase) {
  TrainUpToADelta();
  std::filesystem::remove_all(run_ + "/checkpoints/" + CheckpointName(base_));
  const ProgramResult inspected = Checkpoint("inspect");
  EXPECT_EQ(inspected.exit_code, 1) << inspected.output;
  EXPECT_THAT(inspected.output, HasSubstr("is a delta checkpoint, of no use without its base"));
}

// What was measured, of the whole training.
void ExpectSameMetrics(const nlohmann::json& alone, const nlohmann::json& resumed) {
  for (const char* member :
       {"steps", "examples", "train", "validation", "test", "skipped_gradients", "best",
        "early_stopping", "model_step", "stopped_early"}) {
    EXPECT_EQ(alone.value(member, nlohmann::json()), resumed.value(member, nlohmann::json()))
        << member;
  }
}

TEST_F(ResumeTest, TheSummaryOfAJobThatWasKilledAtRandomMomentsIsThatOfOneLeftAlone) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (const char* model : {kDense, kTable}) {
    for (const char* mode : {"sync", "local_sgd:2", "single"}) {
      if (model == kTable && std::string(mode) == "local_sgd:2") continue;
      SCOPED_TRACE(absl::StrCat(mode, " ", model));
      // Time decides where some checkpoints are; epochs end between two reports.
      WriteJob(
          model, mode,
          "checkpoint { every_steps: 17 every_seconds: 0.11 best: \"validation/accuracy\" }\n");
      always_ = {"--set", "data.validation.fraction=0.1",  "--set", "data.test.fraction=0.1",
                 "--set", "training.report_every_steps=13"};
      const std::string name = absl::StrCat(mode, model == kTable);
      const ProgramResult alone = RunProgram(Command("alone" + name));
      ASSERT_EQ(alone.exit_code, 0) << alone.output;
      std::vector<int> delays;
      for (int i = 0; i < 3; ++i) delays.push_back(static_cast<int>(250 + random() % 700));
      const ProgramResult resumed = KillAndResume("killed" + name, delays);
      ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
      EXPECT_TRUE(Model("alone" + name) == Model("killed" + name));
      ExpectSameMetrics(Summary("alone" + name), Summary("killed" + name));
    }
  }
}

TEST_F(ResumeTest, WhatWasMeasuredInCompleteEpochsIsInTheSummaryOfOtherModes) {
  WriteJob(kDense, "async", "checkpoint { every_steps: 40 }\n");
  always_ = {"--set", "data.validation.fraction=0.1"};
  const ProgramResult resumed = KillAndResume("run", {600, 600});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_EQ(Summary("run")["train"]["examples"], 3600);
  EXPECT_EQ(Summary("run")["examples"], 6 * 3600);
}

TEST_F(ResumeTest, AJobThatWasKilledAfterItsLastStepMeasuresAndSavesItsWeights) {
  for (const char* mode : {"sync", "async"}) {
    SCOPED_TRACE(mode);
    WriteJob(kDense, mode, "checkpoint { every_steps: 40 }\n");
    always_ = {"--set", "data.validation.fraction=0.1"};
    ASSERT_EQ(RunProgram(Command(mode)).exit_code, 0);
    const auto before = Summary(mode);
    const std::string model = Model(mode);
    std::filesystem::remove(folder_ / (std::string(mode) + "/summary.json"));
    std::filesystem::remove(folder_ / (std::string(mode) + "/model.safetensors"));
    const ProgramResult resumed = RunProgram(Command(mode, {"--resume"}));
    ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
    EXPECT_TRUE(Model(mode) == model);
    EXPECT_EQ(Summary(mode)["steps"], before["steps"]);
    EXPECT_EQ(Summary(mode)["validation"], before["validation"]);
  }
}

TEST_F(ResumeTest, AnotherNumberOfServersAndWorkersChangesNoBit) {
  for (const char* model : {kDense, kTable}) {
    SCOPED_TRACE(model);
    WriteJob(model, "sync", "checkpoint { every_steps: 100 }\n");
    const std::string name = model == kTable ? "table" : "dense";
    ASSERT_EQ(RunProgram(Command("alone" + name)).exit_code, 0);
    const ProgramResult half =
        RunProgram(Command("half" + name, {"--set", "training.max_steps=230"}));
    ASSERT_EQ(half.exit_code, 0) << half.output;
    const ProgramResult whole =
        RunProgram(Command("half" + name, {"--resume", "--servers", "3", "--workers", "1"}));
    ASSERT_EQ(whole.exit_code, 0) << whole.output;
    EXPECT_THAT(whole.output, HasSubstr("goes on from step 230"));
    EXPECT_EQ(Model("alone" + name), Model("half" + name));
  }
}

TEST_F(ResumeTest, InModesWithoutStepsEveryCellCountsEveryBatchOnceThoughTheJobIsKilled) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  for (const char* model : {kDense, kTable}) {
    for (const char* mode : {"async", "ssp:2"}) {
      SCOPED_TRACE(absl::StrCat(mode, " ", model));
      WriteJob(model, mode, "checkpoint { every_steps: 40 keep_last: 2 deltas: 2 }\n");
      const std::string run = absl::StrCat(mode, model == kTable);
      std::vector<int> delays;
      for (int i = 0; i < 4; ++i) delays.push_back(static_cast<int>(150 + random() % 900));
      const ProgramResult resumed = KillAndResume(run, delays, {"--servers", "3"});
      ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
      ExpectAllExamplesInAllCells(folder_ / run, 6 * 4000);
      EXPECT_EQ(Summary(run)["examples"], 6 * 4000);
    }
  }
}

TEST_F(ResumeTest, WhereSlicesMayBeLeftOutCheckpointsAreTakenAllTheSame) {
  WriteJob(kDense, "sync,backup=1",
           "checkpoint { every_steps: 20 keep_last: 100 at_end: false }\n");
  const ProgramResult trained = RunProgram(Command("run"));
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const auto stored = ListCheckpoints(folder_ / "run/checkpoints");
  ASSERT_TRUE(stored.ok() && !stored->empty());
  EXPECT_GT(stored->back().step, 300u);  // of 600
  const ProgramResult longer = RunProgram(Command("run", {"--resume", "--epochs", "7"}));
  EXPECT_EQ(longer.exit_code, 0) << longer.output;
}

TEST_F(ResumeTest, ADamagedCheckpointIsNamedAndTheOneBeforeIsUsed) {
  WriteJob(kDense, "sync", "checkpoint { every_steps: 50 }\n");
  ASSERT_EQ(RunProgram(Command("alone")).exit_code, 0);
  ASSERT_EQ(RunProgram(Command("run", {"--set", "training.max_steps=550"})).exit_code, 0);
  const std::string file = folder_ / "run/checkpoints/step-00000550/server-1-of-2.safetensors";
  std::string bytes = ReadFile(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFile(file, bytes);
  const ProgramResult resumed = RunProgram(Command("run", {"--resume"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_THAT(resumed.output, HasSubstr("step-00000550"));
  EXPECT_THAT(resumed.output, HasSubstr("server-1-of-2.safetensors"));
  EXPECT_THAT(resumed.output, HasSubstr("goes on from step "));
  EXPECT_THAT(resumed.output, Not(HasSubstr("goes on from step 550")));
  EXPECT_EQ(Model("alone"), Model("run"));
}

// So that the two can be told apart, e.g. which of them knows the best checkpoint.
TEST_F(ResumeTest, ALifeNeverHasTheGenerationOfOneThatWasTakenBack) {
  WriteJob(kDense, "sync", "checkpoint { every_steps: 100 }\n");
  const auto generation = [&](uint64_t step) {
    const auto manifest =
        ReadManifest(absl::StrCat(folder_ / "run/checkpoints/", CheckpointName(step)));
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return manifest.ok() ? manifest->generation : 0;
  };
  ASSERT_EQ(RunProgram(Command("run", {"--set", "training.max_steps=200"})).exit_code, 0);
  ASSERT_EQ(RunProgram(Command("run", {"--resume", "--set", "training.max_steps=300"})).exit_code,
            0);
  EXPECT_EQ(generation(200), 1u);
  EXPECT_EQ(generation(300), 2u);
  // The second one is known by its manifest, then by its events only.
  const std::string checkpoint = folder_ / "run/checkpoints/step-00000300";
  std::filesystem::resize_file(checkpoint + "/server-0-of-2.safetensors", 100);
  const std::vector<std::string> resume = {"--resume", "--set", "training.max_steps=310"};
  ASSERT_EQ(RunProgram(Command("run", resume)).exit_code, 0);
  EXPECT_EQ(generation(300), 3u);
  for (const char* const left :
       {"summary.json", "checkpoints/step-00000300", "checkpoints/step-00000310"})
    std::filesystem::remove_all(absl::StrCat(folder_ / "run/", left));
  ASSERT_EQ(RunProgram(Command("run", resume)).exit_code, 0);
  EXPECT_EQ(generation(300), 4u);
}

TEST_F(ResumeTest, ADamagedCheckpointDoesNotCountAsTheNewestThatIsKept) {
  WriteJob(kDense, "sync", "checkpoint { every_steps: 100 }\n");
  ASSERT_EQ(RunProgram(Command("run", {"--set", "training.max_steps=230"})).exit_code, 0);
  const std::string file = folder_ / "run/checkpoints/step-00000230/server-0-of-2.safetensors";
  std::filesystem::resize_file(file, 100);
  const ProgramResult resumed = RunProgram(Command(
      "run", {"--resume", "--set", "training.max_steps=220", "--set", "checkpoint.keep_last=1"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  const ProgramResult again = RunProgram(Command("run", {"--resume"}));
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("goes on from step 220"));
}

TEST_F(ResumeTest, ACompleteRunThatWasKilledWhileItWentOnIsNotComplete) {
  WriteJob(kDense, "sync", "checkpoint { every_steps: 20 }\n");
  ASSERT_EQ(RunProgram(Command("run", {"--epochs", "2"})).exit_code, 0);
  {
    Program program(Command("run", {"--resume", "--epochs", "60"}));
    for (int i = 0; i < 6000; ++i) {
      if (ListCheckpoints(folder_ / "run/checkpoints")->back().step > 200) break;
      SleepMs(10);
    }
    KillAll(program);
  }
  const ProgramResult resumed = RunProgram(Command("run", {"--resume", "--epochs", "20"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_THAT(resumed.output, HasSubstr("goes on from step "));
  EXPECT_EQ(Summary("run")["steps"], 2000);
}

TEST_F(ResumeTest, AJobThatIsAskedToStopSavesWhereItIs) {
  for (const char* mode : {"sync", "single"}) {
    SCOPED_TRACE(mode);
    WriteJob(kDense, mode);
    const std::string run = mode;
    Program program(Command(run, {"--epochs", "40000"}));
    ASSERT_TRUE(AwaitEpoch(folder_ / run, 2)) << program.Output();
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait().exit_code, 128 + SIGTERM);
    const auto stored = ListCheckpoints(folder_ / (run + "/checkpoints"));
    ASSERT_TRUE(stored.ok());
    ASSERT_EQ(stored->size(), 1u);
    EXPECT_EQ(Summary(run)["steps"], stored->back().step);
  }
}

}  // namespace
}  // namespace convoy::testing
