#include "common/checkpoint/verify_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_replace.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

class VerifyCheckpointTest : public ::testing::Test {
 protected:
  // Writes step-N.
  std::string Make(uint64_t step) {
    const std::string path = folder_.File(CheckpointName(step));
    SampleCheckpoint(SampleOptions{.step = step}).Write(path);
    return path;
  }
  void Flip(const std::string& path, size_t at) {
    const std::string name = fs::relative(path, folder_.path());
    std::string bytes = folder_.Contents(name);
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    folder_.Write(name, bytes);
  }
  std::string DamageOf(const std::string& path, std::vector<VerifiedFile>* files = nullptr) {
    const absl::Status status = VerifyCheckpoint(path, files);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    return std::string(status.message());
  }

  ScratchFolder folder_;
};

TEST_F(VerifyCheckpointTest, AWholeCheckpointIsFine) {
  std::vector<VerifiedFile> files;
  const absl::Status status = VerifyCheckpoint(Make(100), &files);
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].name, "manifest.json");
  EXPECT_EQ(files[2].name, "server-1-of-2.safetensors");
  for (const VerifiedFile& file : files) {
    EXPECT_EQ(file.damage, "");
    EXPECT_EQ(file.bytes, fs::file_size(folder_.File("step-00000100/" + file.name)));
  }
}

TEST_F(VerifyCheckpointTest, EveryFlippedByteOfEveryFileIsFound) {
  const std::string path = Make(100);
  for (const char* name : {"manifest.json", "server-0-of-2.safetensors"}) {
    const std::string file = path + "/" + name;
    const size_t size = fs::file_size(file);
    for (size_t at = 0; at < size; at += 997) {
      Flip(file, at);
      EXPECT_THAT(DamageOf(path), HasSubstr(name)) << "byte " << at;
      Flip(file, at);
    }
  }
  EXPECT_TRUE(VerifyCheckpoint(path).ok());
}

TEST_F(VerifyCheckpointTest, AllDamagedFilesAreListedWithTheirDamage) {
  const std::string path = Make(100);
  fs::remove(path + "/server-0-of-2.safetensors");
  Flip(path + "/server-1-of-2.safetensors", 5000);
  std::vector<VerifiedFile> files;
  EXPECT_THAT(DamageOf(path, &files),
              AllOf(HasSubstr(path + " is damaged: server-0-of-2.safetensors is missing; "),
                    HasSubstr("server-1-of-2.safetensors has the checksum "),
                    HasSubstr(": its bytes were changed")));
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].damage, "");
  EXPECT_EQ(files[1].damage, "is missing");
}

TEST_F(VerifyCheckpointTest, ShorterAndLongerFilesAreToldApart) {
  const std::string path = Make(100);
  const std::string file = path + "/server-0-of-2.safetensors";
  const uint64_t size = fs::file_size(file);
  fs::resize_file(file, size / 2);
  EXPECT_THAT(DamageOf(path), HasSubstr("bytes, want " + std::to_string(size) + ": it was cut"));
  fs::resize_file(file, size + 1);
  EXPECT_THAT(DamageOf(path), HasSubstr("bytes, want " + std::to_string(size) + ": it has grown"));
}

TEST_F(VerifyCheckpointTest, SwappedFilesAreFound) {
  const std::string path = Make(100);
  const std::string other = Make(200);
  const std::string name = "/server-0-of-2.safetensors";
  fs::rename(path + name, folder_.File("x"));
  fs::rename(other + name, path + name);
  fs::rename(folder_.File("x"), other + name);
  EXPECT_THAT(DamageOf(path), HasSubstr("server-0-of-2.safetensors has "));
  EXPECT_THAT(DamageOf(other), HasSubstr("server-0-of-2.safetensors has "));
}

TEST_F(VerifyCheckpointTest, FilesThatFitTheirChecksumsMustFitTogetherToo) {
  SampleCheckpoint checkpoint;
  checkpoint.files[0].Remove("b[0:1]");
  checkpoint.Write(folder_.File("c"));
  EXPECT_THAT(DamageOf(folder_.File("c")), HasSubstr("tensor \"b[0:END]\" is missing"));
}

TEST_F(VerifyCheckpointTest, AnEmptyFolderIsNoCheckpoint) {
  EXPECT_EQ(VerifyCheckpoint(folder_.path()).code(), absl::StatusCode::kNotFound);
}

TEST_F(VerifyCheckpointTest, TheNewestUndamagedOneIsUsedAndTheOthersAreNamed) {
  Make(100);
  Make(200);
  Flip(Make(300) + "/server-1-of-2.safetensors", 3000);
  fs::resize_file(Make(400) + "/manifest.json", 50);
  const auto usable = FindNewestUsable(folder_.path());
  ASSERT_TRUE(usable.ok()) << usable.status();
  EXPECT_EQ(usable->checkpoint.step, 200u);
  EXPECT_EQ(usable->checkpoint.path, folder_.File("step-00000200"));
  EXPECT_THAT(usable->damaged, ElementsAre(HasSubstr("step-00000400/manifest.json: not valid JSON"),
                                           HasSubstr("step-00000300 is damaged")));
}

TEST_F(VerifyCheckpointTest, ACopyUnderTheNameOfAnotherStepIsNotThatStep) {
  Make(100);
  fs::copy(Make(200), folder_.File("step-00000900"));
  EXPECT_EQ(DamageOf(folder_.File("step-00000900")),
            folder_.File("step-00000900") +
                " has another checkpoint's name: manifest.json is of step 200; call it "
                "step-00000200");
  EXPECT_EQ(FindNewestUsable(folder_.path())->checkpoint.step, 200u);
  fs::rename(folder_.File("step-00000200"), folder_.File("elsewhere"));
  EXPECT_EQ(VerifyCheckpoint(folder_.File("elsewhere")), absl::OkStatus());
}

TEST_F(VerifyCheckpointTest, TheNewestOneIsUsedWithoutComplaints) {
  Make(100);
  Make(200);
  const auto usable = FindNewestUsable(folder_.path());
  ASSERT_TRUE(usable.ok()) << usable.status();
  EXPECT_EQ(usable->checkpoint.step, 200u);
  EXPECT_THAT(usable->damaged, IsEmpty());
}

TEST_F(VerifyCheckpointTest, WithoutAnyUndamagedOneAllAreNamed) {
  fs::resize_file(Make(100) + "/server-0-of-2.safetensors", 8);
  fs::resize_file(Make(200) + "/server-1-of-2.safetensors", 0);
  const auto usable = FindNewestUsable(folder_.path());
  EXPECT_EQ(usable.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(usable.status().message()),
              AllOf(HasSubstr("step-00000100"), HasSubstr("step-00000200")));
}

TEST_F(VerifyCheckpointTest, WithoutAnyItIsNotFound) {
  EXPECT_EQ(FindNewestUsable(folder_.path()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FindNewestUsable(folder_.File("none")).status().code(), absl::StatusCode::kNotFound);
}

// Going on from an older one would lose what the newer program has trained.
TEST_F(VerifyCheckpointTest, ANewerVersionIsNotPassedOver) {
  Make(100);
  fs::create_directories(folder_.File("step-00000200"));
  folder_.Write("step-00000200/manifest.json", R"({"format": "convoy checkpoint", "version": 3})");
  const auto usable = FindNewestUsable(folder_.path());
  EXPECT_EQ(usable.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(usable.status().message()), HasSubstr("use a newer Convoy"));
}

}  // namespace
}  // namespace convoy
