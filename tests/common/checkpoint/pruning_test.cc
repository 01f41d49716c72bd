#include "common/checkpoint/pruning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<uint64_t> kSteps = {100, 200, 300, 400, 500};

TEST(PruningTest, TheNewestAreKept) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 2}), ElementsAre(100, 200, 300));
}

TEST(PruningTest, MultiplesAreKeptToo) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 1, .keep_every = 200}), ElementsAre(100, 300));
}

TEST(PruningTest, GivenStepsAreKeptToo) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 1, .keep = {300, 7}}), ElementsAre(100, 200, 400));
}

TEST(PruningTest, WhatIsKeptKeepsItsBaseAndThatOnesBase) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 1, .bases = {{500, 400}, {400, 200}, {300, 200}}}),
              ElementsAre(100, 300));
}

TEST(PruningTest, NothingGoesWhileThereAreNotMoreThanTheNewest) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 5}), IsEmpty());
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 99}), IsEmpty());
  EXPECT_THAT(StepsToPrune(std::vector<uint64_t>(), {.keep_last = 1}), IsEmpty());
}

TEST(PruningTest, StepZeroIsAMultipleOfEverything) {
  EXPECT_THAT(StepsToPrune(std::vector<uint64_t>{0, 5, 10}, {.keep_last = 1, .keep_every = 10}),
              ElementsAre(5));
}

// It may be a change of one that would go.
TEST(PruningTest, NothingGoesWhileOneThatStaysCanNotBeRead) {
  ScratchFolder folder;
  std::vector<StoredCheckpoint> stored;
  for (const uint64_t step : {100, 200, 300}) {
    stored.push_back({step, folder.File(CheckpointName(step))});
    SampleCheckpoint(SampleOptions{.step = step}).Write(stored.back().path);
  }
  EXPECT_THAT(*StepsToPrune(stored, {.keep_last = 1}), ElementsAre(100, 200));
  const std::string manifest = stored[1].path + "/manifest.json";
  std::filesystem::remove(manifest);
  std::filesystem::create_directory(manifest);  // can't be read, which is no damage
  EXPECT_THAT(*StepsToPrune(stored, {.keep_last = 1}), ElementsAre(100, 200));
  const auto refused = StepsToPrune(stored, {.keep_last = 2});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("what step-00000200 needs of the others can't be told"));
}

}  // namespace
}  // namespace convoy
