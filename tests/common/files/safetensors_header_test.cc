#include "common/files/safetensors_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTwoTensors[] = R"({"__metadata__":{"step":"12"},)"
                               R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},)"
                               R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";

// The error of a header that is followed by `data_bytes` bytes.
std::string ErrorOf(std::string_view json, uint64_t data_bytes,
                    absl::StatusCode code = absl::StatusCode::kDataLoss) {
  const auto header = ParseSafetensorsHeader(json, data_bytes);
  EXPECT_EQ(header.status().code(), code) << header.status();
  return std::string(header.status().message());
}

std::string OneTensor(const std::string& fields) { return "{\"t\":{" + fields + "}}"; }

TEST(SafetensorsHeaderTest, TensorsAreListedInTheOrderOfTheirData) {
  const auto header = ParseSafetensorsHeader(kTwoTensors, 28);
  ASSERT_TRUE(header.ok()) << header.status();
  ASSERT_EQ(header->tensors.size(), 2u);
  EXPECT_EQ(header->tensors[0].name, "a");
  EXPECT_TRUE(header->tensors[0].shape.empty());
  EXPECT_EQ(header->tensors[1].name, "b");
  EXPECT_THAT(header->tensors[1].shape, ElementsAre(2, 3));
  EXPECT_EQ(header->tensors[1].begin, 4u);
  EXPECT_EQ(header->tensors[1].end, 28u);
  EXPECT_EQ(header->metadata.at("step"), "12");
}

TEST(SafetensorsHeaderTest, OtherTypesAndEmptyTensorsAreListed) {
  const auto header =
      ParseSafetensorsHeader(R"({"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},)"
                             R"("e":{"dtype":"I64","shape":[4,0],"data_offsets":[6,6]}})",
                             6);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->tensors[0].dtype, "F16");
  EXPECT_EQ(header->tensors[1].name, "e");
}

TEST(SafetensorsHeaderTest, PaddingAndAnEmptyListAreFine) {
  EXPECT_TRUE(ParseSafetensorsHeader("{}      ", 0).ok());
}

TEST(SafetensorsHeaderTest, BrokenJsonNamesTheByteOfTheFile) {
  // The colon is missing: the 1 is byte 5 of the text, which begins at byte 8 of the file.
  EXPECT_THAT(ErrorOf("{\"a\" 1}", 0), HasSubstr("not valid JSON at byte 13"));
}

TEST(SafetensorsHeaderTest, TextAfterAZeroByteIsNotIgnored) {
  EXPECT_THAT(ErrorOf(std::string_view("{}\0garbage", 10), 0), HasSubstr("zero at byte 10"));
}

TEST(SafetensorsHeaderTest, ATextThatIsNoObjectIsRefused) {
  EXPECT_THAT(ErrorOf("[1]", 0), HasSubstr("want \"{\" at byte 8"));
  EXPECT_THAT(ErrorOf("", 0), HasSubstr("want \"{\" at byte 8"));
}

TEST(SafetensorsHeaderTest, DeepNestingIsRefusedAtOnce) {
  const std::string deep = "{\"t\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(ErrorOf(deep, 0), HasSubstr("unexpected a list after \"t\""));
}

TEST(SafetensorsHeaderTest, ANameGivenTwiceIsRefused) {
  EXPECT_THAT(ErrorOf(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                      R"("t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                      8),
              HasSubstr("\"t\" is given twice"));
  EXPECT_THAT(ErrorOf(OneTensor(R"("shape":[1],"shape":[1])"), 4),
              HasSubstr("\"shape\" is given twice"));
}

TEST(SafetensorsHeaderTest, MissingFieldsAreNamed) {
  EXPECT_THAT(ErrorOf(OneTensor(R"("dtype":"F32","shape":[1])"), 4),
              HasSubstr("tensor \"t\" has the fields [dtype, shape]"));
  EXPECT_THAT(ErrorOf(OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), 4),
              HasSubstr("1 data_offsets"));
}

TEST(SafetensorsHeaderTest, NegativeAndFractionalSizesAreRefused) {
  EXPECT_THAT(ErrorOf(OneTensor(R"("shape":[-1])"), 0), HasSubstr("a negative number"));
  EXPECT_THAT(ErrorOf(OneTensor(R"("shape":[1.5])"), 0), HasSubstr("a fraction"));
}

TEST(SafetensorsHeaderTest, AShapeWhoseProductOverflowsIsRefused) {
  // 2^32 * 2^32 * 4 bytes is 0 modulo 2^64.
  EXPECT_THAT(
      ErrorOf(OneTensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"),
              0),
      HasSubstr("more than 2^63 values"));
}

TEST(SafetensorsHeaderTest, OffsetsMustHoldTheShape) {
  EXPECT_THAT(ErrorOf(OneTensor(R"("dtype":"F32","shape":[2,3],"data_offsets":[0,20])"), 20),
              HasSubstr("data_offsets [0, 20] do not hold the 6 values of 4 bytes"));
  EXPECT_THAT(ErrorOf(OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[8,4])"), 8),
              HasSubstr("data_offsets [8, 4]"));
  EXPECT_THAT(ErrorOf(OneTensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,5])"), 5),
              HasSubstr("data_offsets [0, 5]"));
}

TEST(SafetensorsHeaderTest, OverlapsAndHolesAreToldApart) {
  const std::string first = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":)";
  EXPECT_THAT(ErrorOf(first + R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
              HasSubstr("tensor \"b\" begins at data byte 4, want 8: tensors overlap"));
  EXPECT_THAT(ErrorOf(first + R"({"dtype":"F32","shape":[2],"data_offsets":[12,20]}})", 20),
              HasSubstr("tensor \"b\" begins at data byte 12, want 8: there is a hole"));
}

TEST(SafetensorsHeaderTest, TooMuchAndTooLittleDataAreRefused) {
  EXPECT_THAT(ErrorOf(kTwoTensors, 27), HasSubstr("28 bytes of data, but 27 bytes follow"));
  EXPECT_THAT(ErrorOf(kTwoTensors, 29), HasSubstr("28 bytes of data, but 29 bytes follow"));
}

TEST(SafetensorsHeaderTest, AnUnknownTypeIsNamed) {
  EXPECT_THAT(ErrorOf(OneTensor(R"("dtype":"F31","shape":[1],"data_offsets":[0,4])"), 4,
                      absl::StatusCode::kInvalidArgument),
              HasSubstr("tensor \"t\": dtype \"F31\""));
}

TEST(SafetensorsHeaderTest, EncodingIsPaddedToEightBytesAndReadsBackEqual) {
  SafetensorsHeader header;
  header.metadata["name"] = "quote \" and \xC3\xA4";
  header.tensors.push_back({"layer1/weight", "F32", {2, 2}, 0, 16});
  header.tensors.push_back({"layer1/bias", "F32", {}, 16, 20});
  const std::string encoded = EncodeSafetensorsHeader(header);
  EXPECT_EQ(encoded.size() % 8, 0u);
  EXPECT_EQ(static_cast<unsigned char>(encoded[0]), encoded.size() - 8);
  const auto again = ParseSafetensorsHeader(std::string_view(encoded).substr(8), 20);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->metadata, header.metadata);
  EXPECT_EQ(again->tensors[0].name, "layer1/weight");
  EXPECT_THAT(again->tensors[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(again->tensors[1].end, 20u);
}

}  // namespace
}  // namespace convoy
