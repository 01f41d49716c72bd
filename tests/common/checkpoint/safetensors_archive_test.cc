#include "common/checkpoint/safetensors_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "common/files/safetensors_header.h"
#include "common/files/safetensors_writer.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Value>
std::string Bytes(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

struct RawTensor {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  std::string bytes;
};

// A file as another program may write it.
std::string RawFile(const std::vector<RawTensor>& tensors) {
  SafetensorsHeader header;
  std::string data;
  for (const RawTensor& tensor : tensors) {
    header.tensors.push_back(
        {tensor.name, tensor.dtype, tensor.shape, data.size(), data.size() + tensor.bytes.size()});
    data += tensor.bytes;
  }
  return EncodeSafetensorsHeader(header) + data;
}

class SafetensorsArchiveTest : public ::testing::Test {
 protected:
  std::unique_ptr<SafetensorsArchive> OpenRaw(const std::vector<RawTensor>& tensors) {
    auto archive = SafetensorsArchive::Open(folder_.Write("a.safetensors", RawFile(tensors)));
    EXPECT_TRUE(archive.ok()) << archive.status();
    return *std::move(archive);
  }

  ScratchFolder folder_;
};

TEST_F(SafetensorsArchiveTest, TensorsAreVariablesAndIdsWithRowsAreTables) {
  const auto archive = OpenRaw({{"rows/ids", "U64", {2}, Bytes<uint64_t>({5, 9})},
                                {"w", "F32", {2, 1}, Bytes<float>({1, 2})},
                                {"rows/rows", "F32", {2, 3}, Bytes<float>({1, 2, 3, 4, 5, 6})},
                                {"lonely/rows", "F32", {1}, Bytes<float>({7})}});
  ASSERT_EQ(archive->variables().size(), 2u);
  EXPECT_EQ(archive->variables()[0].name, "w");
  EXPECT_THAT(archive->variables()[0].shape, ElementsAre(2, 1));
  EXPECT_THAT(archive->variables()[0].slots, IsEmpty());
  EXPECT_EQ(archive->variables()[1].name, "lonely/rows");
  ASSERT_EQ(archive->tables().size(), 1u);
  EXPECT_EQ(archive->tables()[0].name, "rows");
  EXPECT_EQ(archive->tables()[0].dim, 3u);
  EXPECT_EQ(archive->tables()[0].rows, 2u);
  std::map<uint64_t, float> first_columns;
  const absl::Status read = archive->ReadRows(0, [&](const WeightArchive::Rows& rows) {
    for (size_t i = 0; i < rows.ids.size(); ++i) first_columns[rows.ids[i]] = rows.weights[3 * i];
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(first_columns, (std::map<uint64_t, float>{{5, 1.0f}, {9, 4.0f}}));
}

// 1, -2 and 0.5 in every format that has them exactly.
TEST_F(SafetensorsArchiveTest, OtherFloatsBecomeFloat32) {
  const auto archive = OpenRaw({{"f64", "F64", {3}, Bytes<double>({1, -2, 0.5})},
                                {"f32", "F32", {3}, Bytes<float>({1, -2, 0.5})},
                                {"f16", "F16", {3}, Bytes<uint16_t>({0x3c00, 0xc000, 0x3800})},
                                {"bf16", "BF16", {3}, Bytes<uint16_t>({0x3f80, 0xc000, 0x3f00})}});
  for (size_t v = 0; v < 4; ++v) {
    std::vector<float> values(2);
    const absl::Status read = archive->Read(v, std::nullopt, 1, values);
    EXPECT_TRUE(read.ok()) << read;
    EXPECT_THAT(values, ElementsAre(-2.0f, 0.5f)) << archive->variables()[v].name;
  }
}

TEST_F(SafetensorsArchiveTest, OtherDtypesAreRefusedWhenTheyAreAskedFor) {
  const auto archive = OpenRaw({{"steps", "I64", {1}, Bytes<int64_t>({7})}});
  const absl::Status status = archive->Read(0, std::nullopt, 0, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("a.safetensors"), HasSubstr("tensor \"steps\" is I64"),
                    HasSubstr("want F32, F16, BF16 or F64")));
}

TEST_F(SafetensorsArchiveTest, DamagedFilesAreRefused) {
  const std::string whole = RawFile({{"w", "F32", {2}, Bytes<float>({1, 2})}});
  for (const size_t size : {size_t{0}, size_t{5}, size_t{20}, whole.size() - 1}) {
    const absl::Status status =
        SafetensorsArchive::Open(folder_.Write("cut", whole.substr(0, size))).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size << ": " << status;
  }
  EXPECT_EQ(SafetensorsArchive::Open(folder_.File("none")).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace convoy
