// The machine stops at any sync of a save that replaces a checkpoint of the same step, as that of a
// job does which goes on and is asked to stop before its first step: one of the two is there,
// whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/commit_checkpoint.h"
#include "common/checkpoint/manifest.h"
#include "common/checkpoint/verify_checkpoint.h"
#include "common/files/atomic_file.h"
#include "common/math/random.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/simulation/lossy_disk.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

constexpr uint64_t kSyncsOfASave = 10;  // about as many, of files and folders
constexpr uint64_t kCrashesAtEach = 20;

void SaveSample(const std::string& checkpoints, uint64_t generation) {
  SampleCheckpoint sample(SampleOptions{.step = 5});
  sample.manifest.generation = generation;
  const std::string folder = absl::StrCat(checkpoints, "/", TemporaryCheckpointName(1, generation));
  sample.Write(folder);
  std::filesystem::remove(absl::StrCat(folder, "/", kManifestName));  // the commit's to write
  const absl::Status status = CommitCheckpoint(checkpoints, folder, sample.manifest);
  ASSERT_TRUE(status.ok()) << status;
}

TEST(CommitCrashTest, OfACheckpointThatReplacesAnotherOneOfThemIsLeft) {
  uint64_t first = 0, second = 0;
  for (uint64_t seed = 0; seed < kSyncsOfASave * kCrashesAtEach; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const TemporaryFolder root;
    LossyDisk disk(root.path());
    const std::string checkpoints = root / "checkpoints";
    SaveSample(checkpoints, 1);
    disk.LoseAfter(seed % kSyncsOfASave);
    SaveSample(checkpoints, 2);
    const bool lost = disk.lost();
    disk.Crash(RandomStream(seed, "crash", 0));
    ASSERT_TRUE(RemoveTemporaries(checkpoints).ok());
    EXPECT_TRUE(ListIncomplete(checkpoints)->empty());
    const auto stored = ListCheckpoints(checkpoints);
    ASSERT_TRUE(stored.ok()) << stored.status();
    ASSERT_EQ(stored->size(), 1u) << "the checkpoint is lost";
    EXPECT_EQ(VerifyCheckpoint(stored->front().path), absl::OkStatus());
    const auto manifest = ReadManifest(stored->front().path);
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    EXPECT_TRUE(lost || manifest->generation == 2) << "what was said to be saved is lost";
    ++(manifest->generation == 1 ? first : second);
  }
  EXPECT_GT(first, 0u);
  EXPECT_GT(second, 0u);
}

// As servers and as the coordinator write theirs.
void WriteWhole(const std::string& path, const std::string& contents, bool hashed) {
  if (!hashed) {
    ASSERT_TRUE(WriteFileAtomically(path, contents).ok());
    return;
  }
  const auto file = AtomicFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->WriteAt(0, contents).ok());
  ASSERT_TRUE((*file)->CommitAndHash().ok());
}

TEST(CommitCrashTest, OfAFileThatReplacesAnotherOneOfThemIsLeft) {
  const std::string contents[] = {std::string(1000, 'a'), std::string(1500, 'b')};
  uint64_t left[] = {0, 0};
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const TemporaryFolder root;
    LossyDisk disk(root.path());
    const std::string file = root / "file";
    const bool hashed = seed % 2 == 0;
    WriteWhole(file, contents[0], hashed);
    disk.LoseAfter(seed / 2 % 3);  // at the file, at the folder, afterwards
    WriteWhole(file, contents[1], hashed);
    const bool lost = disk.lost();
    disk.Crash(RandomStream(seed, "crash", 0));
    const size_t which = ReadFile(file) == contents[0] ? 0 : 1;
    EXPECT_EQ(ReadFile(file), contents[which]);
    EXPECT_TRUE(lost || which == 1);
    ++left[which];
  }
  EXPECT_GT(left[0], 0u);
  EXPECT_GT(left[1], 0u);
}

}  // namespace
}  // namespace convoy::testing
