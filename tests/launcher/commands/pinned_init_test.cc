#include "launcher/commands/pinned_init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

class PinnedInitTest : public ::testing::Test {
 protected:
  PinnedInitTest() {
    Make(800, 400);
    Make(1200, 800);
  }
  void Make(uint64_t step, uint64_t best) {
    SampleCheckpoint checkpoint(SampleOptions{.step = step});
    checkpoint.manifest.best = {"validation/loss", best, 0.5};
    checkpoint.Write(
        folder_.File("checkpoints/step-0000" + std::to_string(10000 + step).substr(1)));
  }
  static v1::Job JobFrom(const std::string& from) {
    v1::Job job;
    job.mutable_init()->set_from(from);
    return job;
  }
  static std::string Pinned(const std::string& from) {
    v1::Job job = JobFrom(from);
    const absl::Status status = PinInit(&job);
    return status.ok() ? job.init().from() : std::string(status.message());
  }
  static std::string Kept(const std::string& was, const std::string& now) {
    v1::Job job = JobFrom(now);
    KeepPinnedInit(JobFrom(was), &job);
    return job.init().from();
  }

  ScratchFolder folder_;
  const std::string run_ = folder_.path();
};

TEST_F(PinnedInitTest, WhatMayBecomeAnotherCheckpointIsSettled) {
  EXPECT_EQ(Pinned(run_), run_ + "@1200");
  EXPECT_EQ(Pinned(run_ + "@best"), run_ + "@800");
  const std::string folder = folder_.File("checkpoints/step-00000800");
  for (const std::string& settled : {run_ + "@800", folder}) EXPECT_EQ(Pinned(settled), settled);
}

TEST_F(PinnedInitTest, AFileOrARunWithoutCheckpointStays) {
  std::filesystem::remove_all(folder_.File("checkpoints"));
  folder_.Write("model.safetensors", "x");
  for (const std::string& from : {run_, folder_.File("model.safetensors")})
    EXPECT_EQ(Pinned(from), from);
  v1::Job none;
  EXPECT_TRUE(PinInit(&none).ok());
  EXPECT_FALSE(none.has_init());
}

TEST_F(PinnedInitTest, WhatIsNotThereOrDamagedIsAnErrorWithTheField) {
  EXPECT_THAT(Pinned(run_ + "@7"), HasSubstr("init.from: "));
  std::filesystem::resize_file(folder_.File("checkpoints/step-00001200/manifest.json"), 50);
  EXPECT_THAT(Pinned(run_), HasSubstr("init.from: "));
  EXPECT_EQ(Pinned(run_ + "@800"), run_ + "@800");
}

TEST_F(PinnedInitTest, AJobThatGoesOnKeepsToWhatWasSettled) {
  EXPECT_EQ(Kept("a@800", "a"), "a@800");
  EXPECT_EQ(Kept("a@800", "a@best"), "a@800");
  EXPECT_EQ(Kept("a@5@800", "a@5"), "a@5@800");
}

TEST_F(PinnedInitTest, AnotherSourceIsAnotherSource) {
  EXPECT_EQ(Kept("a@800", "a@900"), "a@900");
  EXPECT_EQ(Kept("a@800", "b"), "b");
  EXPECT_EQ(Kept("ab@800", "a"), "a");
  EXPECT_EQ(Kept("a", "a@800"), "a@800");
  EXPECT_EQ(Kept("a@", "a"), "a");
  EXPECT_EQ(Kept("a@8x", "a"), "a");
  v1::Job none;
  KeepPinnedInit(JobFrom("a@800"), &none);
  EXPECT_FALSE(none.has_init());
}

}  // namespace
}  // namespace convoy
