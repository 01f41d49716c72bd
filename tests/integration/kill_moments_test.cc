// The whole job is killed at many moments, every second of them during a save, and goes on with
// --resume each time: it ends with the bits of a job that was left alone.
//
// Four moments by default. CONVOY_KILL_MOMENTS=20 has as many, CONVOY_KILL_SEED=7 draws them from
// seed 7; without it the seed is another one each time, and printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "tests/testing/launched_children.h"
#include "tests/testing/parity_lines.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kLinesOfData = 4000, kBatchSize = 40;
constexpr uint64_t kEpochsPerMoment = 4, kStepsPerEpoch = kLinesOfData / kBatchSize;
constexpr uint64_t kMostStepsOfALife = 200;  // and what it trains until it is killed
constexpr char kDenseModel[] =
    "model { mlp { hidden: 32 } classes: 2 }\n"
    "optimizer { adam {} learning_rate: 0.003 }\n"
    "checkpoint { every_steps: 20 }\n";
constexpr char kTableModel[] =
    "model { factorization_machine { factors: 4 } }\n"
    "optimizer { adagrad {} learning_rate: 0.05 }\n"
    "table { match: \"rows\" admit_after: 2 expire_after: 3 }\n"
    "checkpoint { every_steps: 20 deltas: 3 }\n";

uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class KillMomentsTest : public ::testing::Test {
 protected:
  KillMomentsTest() { WriteFile(folder_ / "train.libsvm", ParityLines(kLinesOfData)); }

  std::vector<std::string> Train(const std::string& run, const std::string& resume) const {
    std::vector<std::string> command = {CONVOY_BINARY, "train", folder_ / "job.textproto",
                                        "--run-dir", folder_ / run};
    if (!resume.empty()) command.push_back(resume);
    return command;
  }
  ProgramResult RunToTheEnd(const std::string& run, const std::string& resume) const {
    Program program(Train(run, resume));
    return program.Wait(std::chrono::minutes(5));
  }
  bool IsSaving() const { return !ListIncomplete(checkpoints_)->empty(); }
  uint64_t NewestStep() const {
    const auto stored = ListCheckpoints(checkpoints_);
    return !stored.ok() || stored->empty() ? 0 : stored->back().step;
  }

  // Stops all processes of the job, a random while after a save began, as often as it takes until
  // they stand still in the midst of one: on a fast disk a save is over before a kill can meet it.
  void FreezeInASave(pid_t launcher) {
    for (int i = 0; i < 10'000; ++i) {
      for (int j = 0; j < 100'000 && !IsSaving(); ++j) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 2000));
      std::vector<pid_t> processes = {launcher};
      for (const LaunchedChild& child : LaunchedChildren(launcher)) processes.push_back(child.pid);
      ASSERT_TRUE(Freeze(processes));
      if (IsSaving()) return;
      for (const pid_t process : processes) kill(process, SIGCONT);
    }
    ADD_FAILURE() << "no save was met";
  }

  // One life of the job, to a moment after it has saved something beyond a random step. Whether it
  // was killed during a save, with something incomplete left behind.
  bool LiveAndDie(bool in_save) {
    const uint64_t before = NewestStep(), beyond = before + random_() % kMostStepsOfALife;
    Program program(Train("killed", before == 0 ? "--resume=auto" : "--resume"));
    bool further = false;
    for (int i = 0; i < 60'000 && !further; ++i) {
      SleepMs(1);
      further = NewestStep() > beyond;
    }
    EXPECT_TRUE(further) << "nothing was saved after step " << beyond << " in a minute:\n"
                         << program.Output();
    if (in_save) {
      FreezeInASave(program.pid());
    } else {
      SleepMs(random_() % 150);
    }
    // Every process of the job at once: the others die with the launcher.
    program.Signal(SIGKILL);
    EXPECT_EQ(program.Wait().exit_code, 128 + SIGKILL) << "it ended before it was killed";
    return IsSaving();
  }

  void ExpectTheBitsOfAJobLeftAlone(const std::string& model) {
    const uint64_t epochs = kEpochsPerMoment * (moments_ + 1);
    WriteFile(folder_ / "job.textproto",
              absl::StrCat("data { train: \"train.libsvm\" cache_dir: \"cache\" ",
                           model == kTableModel ? "ids: true" : "", " }\n", model,
                           "training { mode: \"sync\" epochs: ", epochs, " batch_size: ",
                           kBatchSize, " slices: 4 }\ncluster { servers: 2 workers: 2 }\n"));
    // One process makes the same bits.
    const ProgramResult alone = RunToTheEnd("alone", "--mode=single");
    ASSERT_EQ(alone.exit_code, 0) << alone.output;
    std::string history;
    uint64_t in_saves = 0;
    for (uint64_t moment = 0; moment < moments_; ++moment) {
      const bool saving = LiveAndDie(/*in_save=*/moment % 2 == 1);
      in_saves += saving ? 1 : 0;
      absl::StrAppend(&history, " ", NewestStep(), saving ? "+" : "");
      ASSERT_FALSE(HasFailure()) << "seed " << seed_ << ", moments:" << history;
    }
    std::cout << "seed " << seed_ << ": killed at steps" << history << " of "
              << epochs * kStepsPerEpoch << " (+: during a save)\n";
    EXPECT_GE(in_saves, moments_ / 2);
    const ProgramResult resumed = RunToTheEnd("killed", "--resume");
    ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
    EXPECT_TRUE(ReadFile(folder_ / "alone/model.safetensors") ==
                ReadFile(folder_ / "killed/model.safetensors"))
        << "seed " << seed_;
    const auto summary = nlohmann::json::parse(ReadFile(folder_ / "killed/summary.json"));
    EXPECT_EQ(summary["steps"], epochs * kStepsPerEpoch);
    EXPECT_FALSE(IsSaving()) << "something incomplete was left";
  }

  TemporaryFolder folder_;
  const std::string checkpoints_ = folder_ / "killed/checkpoints";
  const uint64_t moments_ = NumberFromEnvironment("CONVOY_KILL_MOMENTS", 4);
  const uint64_t seed_ = NumberFromEnvironment("CONVOY_KILL_SEED", std::random_device()());
  std::mt19937_64 random_{seed_};
};

TEST_F(KillMomentsTest, SyncEndsWithTheBitsOfAJobLeftAlone) {
  ExpectTheBitsOfAJobLeftAlone(kDenseModel);
}

TEST_F(KillMomentsTest, SyncWithATableAndDeltaCheckpointsToo) {
  ExpectTheBitsOfAJobLeftAlone(kTableModel);
}

}  // namespace
}  // namespace convoy::testing
