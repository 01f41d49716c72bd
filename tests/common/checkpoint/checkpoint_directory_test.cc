#include "common/checkpoint/checkpoint_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckpointDirectoryTest : public ::testing::Test {
 protected:
  void Make(const std::string& name, bool manifest) {
    std::filesystem::create_directories(folder_.File(name));
    folder_.Write(name + "/server-0-of-1.safetensors", "x");
    if (manifest) folder_.Write(name + "/manifest.json", "{}");
  }
  std::vector<uint64_t> Steps() {
    std::vector<uint64_t> steps;
    const auto checkpoints = ListCheckpoints(folder_.path());
    for (const StoredCheckpoint& checkpoint : *checkpoints) steps.push_back(checkpoint.step);
    return steps;
  }

  ScratchFolder folder_;
};

TEST(CheckpointNameTest, AStepHasEightDigitsOrMore) {
  EXPECT_EQ(CheckpointName(1200), "step-00001200");
  EXPECT_EQ(CheckpointName(1234567890), "step-1234567890");
  EXPECT_EQ(TemporaryCheckpointName(1300, 2), ".step-00001300.g2");
}

TEST(CheckpointNameTest, NamesAreReadBack) {
  for (const uint64_t step :
       {uint64_t{0}, uint64_t{1200}, uint64_t{123456789}, std::numeric_limits<uint64_t>::max()}) {
    EXPECT_EQ(StepOfCheckpointName(CheckpointName(step)), step);
    EXPECT_TRUE(IsTemporaryCheckpointName(TemporaryCheckpointName(step, 3)));
    EXPECT_FALSE(IsTemporaryCheckpointName(CheckpointName(step)));
    EXPECT_EQ(StepOfCheckpointName(TemporaryCheckpointName(step, 3)), std::nullopt);
  }
}

TEST(CheckpointNameTest, OtherNamesAreNot) {
  for (const char* name :
       {"", "step-", "step-1200", "step-000001200", "step-0000120x", "step--0000001",
        "step-00001200.bak", "step- 0001200", "Step-00001200", "step-99999999999999999999"}) {
    EXPECT_EQ(StepOfCheckpointName(name), std::nullopt) << name;
  }
  for (const char* name : {".step-00001300", ".step-1.g2", ".git", ".step-", "step-00001300.g2"}) {
    EXPECT_FALSE(IsTemporaryCheckpointName(name)) << name;
  }
}

TEST_F(CheckpointDirectoryTest, CompleteOnesAreListedByStep) {
  Make("step-123456789", true);
  Make("step-00001200", true);
  Make("step-00001300", false);
  Make(".step-00001400.g1", true);
  Make("other", true);
  folder_.Write("step-00001500", "a file");
  EXPECT_THAT(Steps(), ElementsAre(1200, 123456789));
  EXPECT_EQ(ListCheckpoints(folder_.path())->front().path, folder_.File("step-00001200"));
}

TEST_F(CheckpointDirectoryTest, WhatIsIncompleteIsListedApart) {
  Make("step-00001200", true);
  Make("step-00001300", false);
  Make(".step-00001400.g1", false);
  EXPECT_THAT(ListIncomplete(folder_.path()).value(),
              ElementsAre(folder_.File(".step-00001400.g1"), folder_.File("step-00001300")));
}

TEST_F(CheckpointDirectoryTest, AMissingFolderHasNoCheckpoints) {
  EXPECT_THAT(ListCheckpoints(folder_.File("none")).value(), IsEmpty());
  EXPECT_THAT(ListIncomplete(folder_.File("none")).value(), IsEmpty());
  EXPECT_THAT(RemoveTemporaries(folder_.File("none")).value(), IsEmpty());
}

TEST_F(CheckpointDirectoryTest, AFileInPlaceOfTheFolderIsAnError) {
  const auto listed = ListCheckpoints(folder_.Write("file", ""));
  EXPECT_THAT(std::string(listed.status().message()), HasSubstr("cannot list folder"));
}

TEST_F(CheckpointDirectoryTest, OnlyTemporariesAreRemoved) {
  Make("step-00001200", true);
  Make("step-00001300", false);
  Make(".step-00001400.g1", true);
  Make(".hidden", false);
  EXPECT_THAT(RemoveTemporaries(folder_.path()).value(),
              ElementsAre(folder_.File(".step-00001400.g1")));
  EXPECT_EQ(folder_.Entries(), 3);
}

TEST_F(CheckpointDirectoryTest, ARemovedCheckpointIsGone) {
  Make("step-00001200", true);
  Make("step-00001300", true);
  ASSERT_TRUE(RemoveCheckpoint(folder_.File("step-00001200/")).ok());
  EXPECT_THAT(Steps(), ElementsAre(1300));
  EXPECT_EQ(folder_.Entries(), 1);
  EXPECT_EQ(RemoveCheckpoint(folder_.File("step-00001200")).code(), absl::StatusCode::kNotFound);
}

// The leftover of a removal that was killed has a temporary name; the next removal goes on.
TEST_F(CheckpointDirectoryTest, ALeftoverOfARemovalIsNoObstacleAndNoCheckpoint) {
  Make(".step-00001200.removed", true);
  EXPECT_THAT(Steps(), IsEmpty());
  Make("step-00001200", true);
  ASSERT_TRUE(RemoveCheckpoint(folder_.File("step-00001200")).ok());
  EXPECT_EQ(folder_.Entries(), 0);
  Make(".step-00001200.removed", true);
  EXPECT_EQ(RemoveTemporaries(folder_.path())->size(), 1u);
}

}  // namespace
}  // namespace convoy
