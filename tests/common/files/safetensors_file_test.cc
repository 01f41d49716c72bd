#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/files/safetensors_reader.h"
#include "common/files/safetensors_writer.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The worked example of docs/model_file.md, byte for byte: 8 bytes of length (0xb0 = 176), 176 of
// header (171 of text and 5 spaces), then 1.0, -2.0, 0.5 and 3.0 as float32.
std::string GoldenFile() {
  const std::string text = R"({"__metadata__":{"producer":"convoy"},)"
                           R"("layer1/weight":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]},)"
                           R"("layer1/bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})";
  return std::string("\xb0\0\0\0\0\0\0\0", 8) + text + std::string(176 - text.size(), ' ') +
         std::string("\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f\0\0\x40\x40", 16);
}

absl::StatusOr<std::unique_ptr<SafetensorsWriter>> GoldenWriter(const std::string& path) {
  return SafetensorsWriter::Create(path, {{"layer1/weight", {1, 3}}, {"layer1/bias", {1}}},
                                   {{"producer", "convoy"}});
}

std::string OpenError(const std::string& path) {
  const auto reader = SafetensorsReader::Open(path);
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kDataLoss) << reader.status();
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr(path));
  return std::string(reader.status().message());
}

std::string LittleEndian(uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

TEST(SafetensorsWriterTest, WritesTheDocumentedExampleByteForByte) {
  ScratchFolder folder;
  auto writer = GoldenWriter(folder.File("model"));
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Write("layer1/weight", 0, std::vector<float>{1.0f, -2.0f, 0.5f}).ok());
  ASSERT_TRUE((*writer)->Write("layer1/bias", 0, std::vector<float>{3.0f}).ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_EQ(folder.Contents("model"), GoldenFile());
}

TEST(SafetensorsWriterTest, PiecesInAnyOrderGiveTheSameBytes) {
  ScratchFolder folder;
  auto writer = GoldenWriter(folder.File("model"));
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Write("layer1/bias", 0, std::vector<float>{3.0f}).ok());
  ASSERT_TRUE((*writer)->Write("layer1/weight", 2, std::vector<float>{0.5f}).ok());
  ASSERT_TRUE((*writer)->Write("layer1/weight", 0, std::vector<float>{7.0f, 7.0f}).ok());
  ASSERT_TRUE((*writer)->Write("layer1/weight", 0, std::vector<float>{1.0f, -2.0f}).ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_EQ(folder.Contents("model"), GoldenFile());
}

TEST(SafetensorsWriterTest, MissingValuesAreNamedAndNoFileAppears) {
  ScratchFolder folder;
  {
    auto writer = GoldenWriter(folder.File("model"));
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Write("layer1/bias", 0, std::vector<float>{3.0f}).ok());
    ASSERT_TRUE((*writer)->Write("layer1/weight", 0, std::vector<float>{1.0f, 1.0f}).ok());
    const absl::Status status = (*writer)->Commit();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("value 2 of 3 of tensor \"layer1/weight\" was not written"));
  }
  EXPECT_EQ(folder.Entries(), 0);
}

TEST(SafetensorsWriterTest, RefusesWhatWasNotDeclared) {
  ScratchFolder folder;
  auto writer = GoldenWriter(folder.File("model"));
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ((*writer)->Write("layer2/bias", 0, {}).code(), absl::StatusCode::kNotFound);
  const absl::Status beyond = (*writer)->Write("layer1/weight", 2, std::vector<float>{1.0f, 1.0f});
  EXPECT_EQ(beyond.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(beyond.message()), HasSubstr("has 3 values, got 2 from 2"));
}

TEST(SafetensorsWriterTest, RefusesBadDeclarations) {
  ScratchFolder folder;
  const auto code = [&](const std::vector<TensorDeclaration>& tensors) {
    return SafetensorsWriter::Create(folder.File("model"), tensors, {}).status().code();
  };
  EXPECT_EQ(code({{"", {1}}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{"__metadata__", {1}}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{"a", {1}}, {"a", {2}}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{"a", {1ull << 62, 4}}}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({{"a", {1ull << 60}}, {"b", {1ull << 60}}}), absl::StatusCode::kInvalidArgument);
}

TEST(SafetensorsReaderTest, ReadsTheDocumentedExample) {
  ScratchFolder folder;
  const auto reader = SafetensorsReader::Open(folder.Write("model", GoldenFile()));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->metadata().at("producer"), "convoy");
  ASSERT_EQ((*reader)->tensors().size(), 2u);
  EXPECT_THAT((*reader)->tensors()[0].shape, ElementsAre(1, 3));
  const auto weight = (*reader)->Read("layer1/weight");
  ASSERT_TRUE(weight.ok()) << weight.status();
  EXPECT_THAT(weight->span(), ElementsAre(1.0f, -2.0f, 0.5f));
  const auto bias = (*reader)->Read("layer1/bias");
  ASSERT_TRUE(bias.ok()) << bias.status();
  EXPECT_THAT(bias->span(), ElementsAre(3.0f));
}

TEST(SafetensorsReaderTest, ReadsAPieceOfATensor) {
  ScratchFolder folder;
  const auto reader = SafetensorsReader::Open(folder.Write("model", GoldenFile()));
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<float> values(2);
  ASSERT_TRUE((*reader)->ReadInto("layer1/weight", 1, std::span<float>(values)).ok());
  EXPECT_THAT(values, ElementsAre(-2.0f, 0.5f));
  EXPECT_EQ((*reader)->ReadInto("layer1/weight", 2, std::span<float>(values)).code(),
            absl::StatusCode::kOutOfRange);
}

TEST(SafetensorsReaderTest, ReadsPiecesOfWholeNumbersAsTheyWereWritten) {
  ScratchFolder folder;
  auto writer = SafetensorsWriter::Create(folder.File("model"),
                                          {{"long", {2}, "U64"}, {"short", {3}, "U32"}}, {});
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->WriteU64("long", 0, std::vector<uint64_t>{1, ~uint64_t{0}}).ok());
  ASSERT_TRUE((*writer)->WriteU32("short", 0, std::vector<uint32_t>{4, 5, ~0u}).ok());
  EXPECT_EQ((*writer)->Write("short", 0, std::vector<float>{1.0f}).code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE((*writer)->Commit().ok());
  const auto reader = SafetensorsReader::Open(folder.File("model"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<uint64_t> longs(1);
  ASSERT_TRUE((*reader)->ReadU64Into("long", 1, longs).ok());
  EXPECT_THAT(longs, ElementsAre(~uint64_t{0}));
  std::vector<uint32_t> shorts(2);
  ASSERT_TRUE((*reader)->ReadU32Into("short", 1, shorts).ok());
  EXPECT_THAT(shorts, ElementsAre(5, ~0u));
  EXPECT_EQ((*reader)->ReadU32Into("short", 2, shorts).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ((*reader)->ReadU32Into("long", 0, shorts).code(), absl::StatusCode::kInvalidArgument);
}

TEST(SafetensorsReaderTest, FloatsAtAnUnalignedByteAreRead) {
  ScratchFolder folder;
  const std::string text = R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  ASSERT_NE((8 + text.size()) % 4, 0u);
  const auto reader = SafetensorsReader::Open(
      folder.Write("model", LittleEndian(text.size()) + text + std::string("\0\0\x40\x40", 4)));
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto values = (*reader)->Read("t");
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_THAT(values->span(), ElementsAre(3.0f));
}

TEST(SafetensorsReaderTest, UnknownNamesAndOtherTypesAreErrors) {
  ScratchFolder folder;
  const std::string text = R"({"t":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})";
  const auto reader =
      SafetensorsReader::Open(folder.Write("model", LittleEndian(text.size()) + text + "0000"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->Read("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string((*reader)->Read("t").status().message()),
              HasSubstr("tensor \"t\" is I32, want F32"));
}

TEST(SafetensorsReaderTest, EveryTruncationIsDataLoss) {
  ScratchFolder folder;
  const std::string whole = GoldenFile();
  for (size_t size = 0; size < whole.size(); ++size) {
    OpenError(folder.Write("model", whole.substr(0, size)));
  }
}

TEST(SafetensorsReaderTest, AHeaderLengthBeyondTheFileNamesBoth) {
  ScratchFolder folder;
  EXPECT_THAT(OpenError(folder.Write("model", LittleEndian(100) + "{}")),
              HasSubstr("a header of 100 bytes, but the file ends at byte 10"));
  EXPECT_THAT(OpenError(folder.Write("model", LittleEndian(1ull << 63) + "{}")),
              HasSubstr("want at most 100000000"));
  EXPECT_THAT(OpenError(folder.Write("model", "abc")), HasSubstr("has 3 bytes, want at least 8"));
}

TEST(SafetensorsReaderTest, AFileCutWhileOpenIsAnErrorAndNoCrash) {
  ScratchFolder folder;
  const std::string path = folder.Write("model", GoldenFile());
  const auto reader = SafetensorsReader::Open(path);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::filesystem::resize_file(path, 190);
  EXPECT_EQ((*reader)->Read("layer1/weight").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace convoy
