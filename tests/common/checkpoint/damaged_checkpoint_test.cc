// What a checkpoint says of itself contradicts what it holds: the reader names file and tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/math/table.h"
#include "tests/common/checkpoint/sample_checkpoint.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DamagedCheckpointTest : public ::testing::Test {
 protected:
  // The error of opening a checkpoint that `damage` has changed before it was written.
  std::string ErrorAfter(const std::function<void(SampleCheckpoint&)>& damage) {
    SampleCheckpoint checkpoint;
    damage(checkpoint);
    checkpoint.Write(folder_.path());
    return OpenError();
  }
  // The same, where only one tensor changes.
  std::string ErrorAfter(size_t file, const std::string& tensor,
                         const std::function<void(SampleTensor&)>& damage) {
    return ErrorAfter([&](SampleCheckpoint& c) { damage(c.files[file].Tensor(tensor)); });
  }
  std::string OpenError() {
    const auto reader = CheckpointReader::Open(folder_.path());
    EXPECT_EQ(reader.status().code(), absl::StatusCode::kDataLoss) << reader.status();
    return std::string(reader.status().message());
  }

  ScratchFolder folder_;
  const std::string file0_ = folder_.File("server-0-of-2.safetensors");
  const std::string file1_ = folder_.File("server-1-of-2.safetensors");
};

TEST_F(DamagedCheckpointTest, MissingTensorsAreNamed) {
  for (const char* name : {"w[0:4]", "w[0:4].m", "b[0:1]", "t/ids", "t/rows", "t/slots",
                           "t/counters", "t/waiting", "/cells", "/marks", "/complete"}) {
    const std::string error = ErrorAfter([&](SampleCheckpoint& c) { c.files[0].Remove(name); });
    const std::string shown = name == std::string("w[0:4]")   ? "w[0:END]"
                              : name == std::string("b[0:1]") ? "b[0:END]"
                                                              : name;
    EXPECT_EQ(error, file0_ + ": tensor \"" + shown + "\" is missing");
  }
}

TEST_F(DamagedCheckpointTest, TensorsThatBelongToNothingAreNamed) {
  EXPECT_EQ(ErrorAfter([](SampleCheckpoint& c) {
              c.files[1].tensors.push_back({"w[0:2]", "F32", {2}, {1, 2}, {}, {}});
            }),
            file1_ + ": tensor \"w[0:2]\" belongs to no cell of \"/cells\"");
}

TEST_F(DamagedCheckpointTest, ShapesAndTypesMustFit) {
  EXPECT_THAT(ErrorAfter(0, "w[0:4].m",
                         [](SampleTensor& tensor) {
                           tensor.shape = {3};
                           tensor.f32.resize(3);
                         }),
              HasSubstr("tensor \"w[0:4].m\" is F32 [3], want F32 [4]"));
  EXPECT_THAT(ErrorAfter(0, "t/rows",
                         [](SampleTensor& tensor) { std::swap(tensor.shape[0], tensor.shape[1]); }),
              HasSubstr("tensor \"t/rows\" is F32 [3, "));
  EXPECT_THAT(ErrorAfter(0, "t/counters",
                         [](SampleTensor& tensor) {
                           tensor.dtype = "F32";
                           tensor.f32.resize(tensor.u32.size());
                         }),
              HasSubstr("tensor \"t/counters\" is F32"));
}

TEST_F(DamagedCheckpointTest, RowsOfCellsMustMakeSense) {
  struct Case {
    size_t at;
    uint64_t value;
    const char* error;
  };
  for (const Case& c : {Case{0, 1, "row 0: want kind 0 in row 0 only"},
                        Case{1, 5, "row 0: want zeros after kind 0"},
                        Case{8, 0, "row 1: want kind 0 in row 0 only"},
                        Case{8, 9, "row 1: got kind 9, want 0, 1 or 2"},
                        Case{9, 2, "row 1: there is no such variable"},
                        Case{11, 1, "row 1: want 0 rows in a block"},
                        Case{3 * 8 + 1, 1, "row 3: there is no such table"},
                        Case{3 * 8 + 2, 1024, "row 3: there is no such bucket"}}) {
    EXPECT_THAT(ErrorAfter(0, "/cells", [&](SampleTensor& cells) { cells.u64[c.at] = c.value; }),
                AllOf(HasSubstr(file0_), HasSubstr("\"/cells\""), HasSubstr(c.error)));
  }
}

TEST_F(DamagedCheckpointTest, RowCountsMustAddUpToTheTable) {
  for (const uint64_t rows : {uint64_t{7}, ~uint64_t{0}}) {
    EXPECT_THAT(ErrorAfter(0, "/cells", [&](SampleTensor& cells) { cells.u64[3 * 8 + 3] = rows; }),
                AllOf(HasSubstr("tensor \"t/ids\" has "), HasSubstr("wants more")));
  }
}

TEST_F(DamagedCheckpointTest, AMissingBlockIsNamed) {
  EXPECT_EQ(ErrorAfter([](SampleCheckpoint& c) {
              SampleTensor& cells = c.files[1].Tensor("/cells");
              cells.u64.erase(cells.u64.begin() + 8, cells.u64.begin() + 16);
              --cells.shape[0];
              for (const char* name : {"w[4:6]", "w[4:6].m", "w[4:6].v"}) c.files[1].Remove(name);
            }),
            folder_.path() + ": variable \"w\": the blocks of all files have 4 values, want 6");
}

TEST_F(DamagedCheckpointTest, ABlockThatIsThereTwiceIsNamed) {
  EXPECT_THAT(ErrorAfter([](SampleCheckpoint& c) {
                c.files[1].Tensor("/cells").u64[8 + 2] = 0;
                for (const char* name : {"w[4:6]", "w[4:6].m", "w[4:6].v"}) {
                  c.files[1].Tensor(name).name.replace(0, 6, "w[0:2]");
                }
              }),
              AllOf(HasSubstr("variable \"w\""), HasSubstr("values are there twice")));
}

TEST_F(DamagedCheckpointTest, BucketsMustBeThereOnce) {
  // Bucket 1 becomes bucket 0, which file 0 has.
  EXPECT_THAT(ErrorAfter(1, "/cells", [](SampleTensor& cells) { cells.u64[2 * 8 + 2] = 0; }),
              AllOf(HasSubstr("table \"t\": bucket 0 is there twice"), HasSubstr(file1_)));
  EXPECT_THAT(ErrorAfter(1, "/cells",
                         [](SampleTensor& cells) {
                           cells.u64.resize(cells.u64.size() - 8);
                           --cells.shape[0];
                         }),
              HasSubstr("table \"t\": bucket 1023 of 1024 is in no file"));
}

TEST_F(DamagedCheckpointTest, MarksAreOfCellsThatAreThereAndOnce) {
  EXPECT_THAT(ErrorAfter(0, "/marks", [](SampleTensor& marks) { marks.u64[0] = 100000; }),
              HasSubstr("tensor \"/marks\" row 0: cell 100000, task 5: there is no such cell"));
  EXPECT_THAT(ErrorAfter(0, "/marks",
                         [](SampleTensor& marks) {
                           marks.u64.insert(marks.u64.end(), {1, 5, 3});
                           ++marks.shape[0];
                         }),
              HasSubstr("row 1: cell 1, task 5 is there twice"));
}

TEST_F(DamagedCheckpointTest, CompleteTasksAreAscending) {
  EXPECT_THAT(ErrorAfter(1, "/complete",
                         [](SampleTensor& complete) {
                           complete.u64 = {4, 1};
                         }),
              HasSubstr("tensor \"/complete\" row 0: want ascending ranges"));
  EXPECT_THAT(ErrorAfter(1, "/complete",
                         [](SampleTensor& complete) {
                           complete.u64 = {4, ~uint64_t{0}};
                         }),
              HasSubstr("[first, last] below 2^64 - 1"));
}

TEST_F(DamagedCheckpointTest, WaitingIdsAreOfBucketsOfTheFile) {
  const size_t file = BucketOf(77) % 2;
  EXPECT_THAT(ErrorAfter(file, "t/waiting", [](SampleTensor& waiting) { waiting.u64[0] ^= 1; }),
              HasSubstr("tensor \"t/waiting\" row 0: bucket"));
}

TEST_F(DamagedCheckpointTest, IdsAreOfTheirBucket) {
  SampleCheckpoint checkpoint;
  const size_t file = BucketOf(1000) % 2;
  for (uint64_t& id : checkpoint.files[file].Tensor("t/ids").u64) id = id == 1000 ? 1001 : id;
  checkpoint.Write(folder_.path());
  const auto reader = CheckpointReader::Open(folder_.path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  BucketRows rows;
  const absl::Status status = (*reader)->ReadBucket(0, BucketOf(1000), &rows);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("id 1001 is not of bucket"));
  EXPECT_EQ(
      (*reader)->ReadRows(0, [](const WeightArchive::Rows&) { return absl::OkStatus(); }).code(),
      absl::StatusCode::kDataLoss);
}

// Memory is taken by this number before the rows are read.
TEST_F(DamagedCheckpointTest, ADeltaHasNoMoreRowsThanItAndItsBaseHold) {
  SampleCheckpoint base(SampleOptions{.step = 100}), delta(SampleOptions{.step = 200});
  base.Write(folder_.File("step-00000100"));
  delta.MakeDeltaOf({100, ChecksumOf(base.manifest)});
  const std::string path = folder_.File("step-00000200");
  delta.Write(path);
  ASSERT_EQ(CheckpointReader::Open(path).status(), absl::OkStatus());
  std::vector<uint64_t>& cells = delta.files[1].Tensor("/cells").u64;
  cells[cells.size() - kCellColumns + 3] = uint64_t{1} << 60;
  delta.Write(path);
  const absl::Status status = CheckpointReader::Open(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("has 1152921504606846976 rows in " + path + "/server-1-of-2"),
                    HasSubstr("want at most ")));
}

TEST_F(DamagedCheckpointTest, FilesOfOtherServersAreRefused) {
  const std::string error =
      ErrorAfter([](SampleCheckpoint& c) { std::swap(c.files[0].metadata, c.files[1].metadata); });
  EXPECT_EQ(error, file0_ + ": __metadata__ server: got \"1 of 2\", want \"0 of 2\"");
  EXPECT_THAT(ErrorAfter([](SampleCheckpoint& c) { c.files[0].metadata.clear(); }),
              HasSubstr("__metadata__ format: got \"\", want \"convoy checkpoint\""));
}

TEST_F(DamagedCheckpointTest, TheManifestMustNameAFileForEachServer) {
  SampleCheckpoint checkpoint;
  checkpoint.Write(folder_.path());
  checkpoint.manifest.files.pop_back();
  folder_.Write(kManifestName, ToJson(checkpoint.manifest));
  EXPECT_EQ(OpenError(),
            folder_.path() + ": manifest.json names 1 files, but not server-0-of-1.safetensors");
}

TEST_F(DamagedCheckpointTest, AFileThatIsMissingOrOfAnotherSizeIsNamed) {
  SampleCheckpoint().Write(folder_.path());
  const uint64_t size = std::filesystem::file_size(file1_);
  std::filesystem::resize_file(file1_, size - 1);
  EXPECT_EQ(OpenError(), file1_ + ": has " + std::to_string(size - 1) + " bytes, want " +
                             std::to_string(size) + " as manifest.json says");
  std::filesystem::remove(file1_);
  EXPECT_EQ(OpenError(), file1_ + ": No such file or directory");
}

}  // namespace
}  // namespace convoy
