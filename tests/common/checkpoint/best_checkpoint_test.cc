#include "common/checkpoint/best_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

class BestCheckpointTest : public ::testing::Test {
 protected:
  // `best`: the step that it says has the best validation; 0: it says nothing. Gives its folder.
  std::string Make(uint64_t step, uint64_t generation, uint64_t best) {
    SampleCheckpoint checkpoint(SampleOptions{.step = step});
    checkpoint.manifest.generation = generation;
    if (best > 0) checkpoint.manifest.best = {"validation/loss", best, 0.5};
    const std::string path = folder_.File(CheckpointName(step));
    checkpoint.Write(path);
    return path;
  }

  ScratchFolder folder_;
};

// The job went on from step 100 although there is a step 500, which was damaged.
TEST_F(BestCheckpointTest, TheLastStepOfTheNewestLifeSaysWhichItIs) {
  Make(100, 1, 100);
  Make(500, 1, 500);
  Make(200, 2, 100);
  Make(300, 2, 200);
  std::filesystem::resize_file(Make(400, 3, 400) + "/manifest.json", 50);  // says nothing any more
  const auto best = FindBestCheckpoint(folder_.path());
  ASSERT_TRUE(best.ok()) << best.status();
  EXPECT_EQ(best->step, 200u);
  EXPECT_EQ(best->path, folder_.File("step-00000200"));
}

TEST_F(BestCheckpointTest, ALifeWithoutValidationsHasNotTheBestOfAnEarlierOne) {
  Make(500, 1, 500);
  Make(200, 2, 0);
  const auto best = FindBestCheckpoint(folder_.path());
  EXPECT_EQ(best.status().code(), absl::StatusCode::kNotFound) << best.status();
  EXPECT_THAT(std::string(best.status().message()), HasSubstr("there was no validation yet"));
}

TEST_F(BestCheckpointTest, OneThatHasGoneIsNotReplacedByThatOfAnEarlierLife) {
  Make(500, 1, 500);
  Make(300, 2, 200);
  const auto best = FindBestCheckpoint(folder_.path());
  EXPECT_EQ(best.status().code(), absl::StatusCode::kNotFound) << best.status();
  EXPECT_THAT(std::string(best.status().message()),
              HasSubstr("the best checkpoint, of step 200, is not in " + folder_.path()));
}

}  // namespace
}  // namespace convoy
