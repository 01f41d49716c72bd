#include "worker/data/idx.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "data_files.h"

namespace convoy {
namespace {

using ::convoy::testing::BigEndianBytes;
using ::convoy::testing::Fails;
using ::convoy::testing::Gzipped;
using ::convoy::testing::Idx;
using ::convoy::testing::kInvalid;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kName = "images.idx";

absl::StatusOr<IdxHeader> Header(const std::string& bytes, int max_dimensions = 4) {
  const auto source = Decompressed(MemorySource(bytes), kName);
  return ReadIdxHeader(*source, kName, max_dimensions);
}

// All elements as float32.
absl::StatusOr<std::vector<float>> Values(const std::string& bytes) {
  const auto source = Decompressed(MemorySource(bytes), kName);
  absl::StatusOr<IdxHeader> header = ReadIdxHeader(*source, kName, 4);
  if (!header.ok()) return header.status();
  std::vector<float> values;
  const absl::Status status = ReadIdxElements(
      *source, kName, *header, IdxElements::kFloat, [&](std::span<const char> piece) {
        const size_t old = values.size();
        values.resize(old + piece.size() / sizeof(float));
        std::memcpy(values.data() + old, piece.data(), piece.size());
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return values;
}

TEST(IdxReaderTest, HeaderHasTypeSizesAndLengths) {
  const auto header = Header(Idx(0x0B, {5, 3, 2}, ""));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->type, IdxType::kShort);
  EXPECT_THAT(header->sizes, ElementsAre(5, 3, 2));
  EXPECT_EQ(header->header_bytes(), 16U);
  EXPECT_EQ(header->example_elements(), 6U);
  EXPECT_EQ(header->data_bytes(), 60U);
}

TEST(IdxReaderTest, EveryElementTypeIsReadBigEndian) {
  EXPECT_THAT(*Values(Idx(0x08, {2}, "\x01\xff")), ElementsAre(1, 255));
  EXPECT_THAT(*Values(Idx(0x09, {2}, "\x01\xff")), ElementsAre(1, -1));
  EXPECT_THAT(*Values(Idx(0x0B, {2}, BigEndianBytes(300, 2) + BigEndianBytes(0xFFFE, 2))),
              ElementsAre(300, -2));
  EXPECT_THAT(*Values(Idx(0x0C, {2}, BigEndianBytes(70000, 4) + BigEndianBytes(0xFFFFFFFD, 4))),
              ElementsAre(70000, -3));
  EXPECT_THAT(*Values(Idx(0x0D, {1}, BigEndianBytes(std::bit_cast<uint32_t>(1.5F), 4))),
              ElementsAre(1.5F));
  EXPECT_THAT(*Values(Idx(0x0E, {1}, BigEndianBytes(std::bit_cast<uint64_t>(0.1), 8))),
              ElementsAre(0.1F));
}

TEST(IdxReaderTest, OneToFourDimensionsAreAccepted) {
  EXPECT_TRUE(Header(Idx(0x08, {2}, "")).ok());
  EXPECT_TRUE(Header(Idx(0x08, {2, 3}, "")).ok());
  EXPECT_TRUE(Header(Idx(0x08, {2, 3, 4}, "")).ok());
  EXPECT_TRUE(Header(Idx(0x08, {2, 3, 4, 5}, "")).ok());
  EXPECT_THAT(Header(Idx(0x08, {2, 3, 4, 5, 6}, "")).status(),
              Fails(kInvalid, "images.idx: byte 3: number of dimensions: expected 1 to 4, got 5"));
  EXPECT_THAT(Header(Idx(0x08, {}, "")).status(), Fails(kInvalid, HasSubstr("byte 3")));
}

TEST(IdxReaderTest, LabelsMustHaveOneDimension) {
  EXPECT_TRUE(Header(Idx(0x08, {2}, ""), 1).ok());
  EXPECT_THAT(Header(Idx(0x08, {2, 2}, ""), 1).status(),
              Fails(kInvalid, HasSubstr("number of dimensions: expected 1 (labels), got 2")));
}

TEST(IdxReaderTest, WrongMagicNumberIsShownInHexadecimal) {
  EXPECT_THAT(Header("PNG!").status(),
              Fails(kInvalid, "images.idx: byte 0: not an IDX file: expected 00 00, got 50 4e"));
  EXPECT_THAT(Header(Idx(0x0A, {1}, "")).status(),
              Fails(kInvalid,
                    "images.idx: byte 2: element type: expected 08, 09, 0b, 0c, 0d or 0e, got 0a"));
}

TEST(IdxReaderTest, HeaderCutAnywhereNamesTheByte) {
  const std::string whole = Idx(0x08, {2, 3}, "");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(Header(whole.substr(0, size)).status(),
                Fails(kInvalid, StartsWith(absl::StrCat("images.idx: byte ", size,
                                                        ": the file ends; expected"))));
  }
}

TEST(IdxReaderTest, TruncatedFileNamesByteAndExpectedLength) {
  // 8 bytes of header and 6 elements: 14 bytes, of which 13 are there.
  EXPECT_THAT(Values(Idx(0x08, {6}, "abcde")).status(),
              Fails(kInvalid, AllOf(StartsWith("images.idx: byte 13: the file ends; expected 14"),
                                    HasSubstr("6 examples of 1 elements of 1 bytes"))));
}

TEST(IdxReaderTest, TruncatedGzipIsNamedAsSuch) {
  std::string compressed = Gzipped(Idx(0x08, {600}, std::string(600, 'x')));
  compressed.resize(compressed.size() - 9);
  EXPECT_THAT(Values(compressed).status(),
              Fails(kInvalid, AllOf(HasSubstr("damaged gzip"), HasSubstr("truncated"))));
}

TEST(IdxReaderTest, FlippedBitInGzipIsFound) {
  std::string compressed = Gzipped(Idx(0x08, {600}, std::string(600, 'x')));
  compressed[compressed.size() - 7] ^= 1;  // within the CRC
  EXPECT_THAT(Values(compressed).status(), Fails(kInvalid, HasSubstr("incorrect data check")));
}

TEST(IdxReaderTest, GzipOfSeveralMembersIsOneFile) {
  const std::string whole = Idx(0x08, {4}, "abcd");
  EXPECT_THAT(*Values(Gzipped(whole.substr(0, 9)) + Gzipped(whole.substr(9))),
              ElementsAre('a', 'b', 'c', 'd'));
}

TEST(IdxReaderTest, BytesAfterTheLastElementAreRefused) {
  EXPECT_THAT(Values(Idx(0x08, {3}, "abcd")).status(),
              Fails(kInvalid, StartsWith("images.idx: byte 11: expected the end of the file")));
  EXPECT_FALSE(Values(Gzipped(Idx(0x08, {3}, "abcd"))).ok());
}

TEST(IdxReaderTest, SizeOfZeroIsRefused) {
  EXPECT_THAT(
      Header(Idx(0x08, {0, 3}, "")).status(),
      Fails(kInvalid, HasSubstr("byte 4: size of dimension 1: expected at least 1, got 0")));
  EXPECT_THAT(Header(Idx(0x08, {3, 0}, "")).status(), Fails(kInvalid, HasSubstr("byte 8")));
}

TEST(IdxReaderTest, ClaimsBeyond63BitsAreRefusedWithTheDimension) {
  // 2^31 x 2^31 x 2 bytes = 2^63.
  EXPECT_THAT(
      Header(Idx(0x08, {1U << 31, 1U << 31, 2}, "")).status(),
      Fails(kInvalid, HasSubstr("byte 12: size of dimension 3: the elements would have 2^63")));
  EXPECT_THAT(Header(Idx(0x0E, {~0U, ~0U, ~0U, ~0U}, "")).status(),
              Fails(kInvalid, HasSubstr("size of dimension 2")));
}

TEST(IdxReaderTest, HugeClaimOnASmallFileEndsAtItsLastByteWithoutAllocating) {
  // 2^62 bytes are claimed; memory of that size would throw.
  EXPECT_THAT(
      Values(Idx(0x08, {1U << 31, 1U << 31}, "abc")).status(),
      Fails(kInvalid, HasSubstr("byte 15: the file ends; expected 4611686018427387916 bytes")));
}

TEST(IdxReaderTest, ValuesThatAreNotFiniteAreRefusedWithTheByte) {
  const std::string one = BigEndianBytes(std::bit_cast<uint32_t>(1.0F), 4);
  const std::string nan =
      BigEndianBytes(std::bit_cast<uint32_t>(std::numeric_limits<float>::quiet_NaN()), 4);
  EXPECT_THAT(Values(Idx(0x0D, {2}, one + nan)).status(),
              Fails(kInvalid, HasSubstr("byte 12: expected a finite float32")));
  const std::string large = BigEndianBytes(std::bit_cast<uint64_t>(1e300), 8);
  EXPECT_THAT(Values(Idx(0x0E, {1}, large)).status(),
              Fails(kInvalid, HasSubstr("byte 8: expected a finite float32")));
}

TEST(IdxReaderTest, FilesLongerThanOnePieceArriveWhole) {
  std::string elements;
  for (int i = 0; i < 700'000; ++i) elements.push_back(static_cast<char>(i * 7));
  for (const bool gzip : {false, true}) {
    const std::string file = Idx(0x08, {7, 100, 1000}, elements);
    const auto values = Values(gzip ? Gzipped(file) : file);
    ASSERT_TRUE(values.ok()) << values.status();
    ASSERT_EQ(values->size(), elements.size());
    for (size_t i = 0; i < elements.size(); ++i) {
      ASSERT_EQ((*values)[i], static_cast<float>(static_cast<uint8_t>(elements[i]))) << i;
    }
  }
}

TEST(IdxReaderTest, MutatedFilesNeverCrash) {
  std::mt19937_64 random(testing::PrintedSeed());
  const std::string plain = Idx(0x0D, {4, 2, 3}, std::string(96, '\x3f'));
  const std::string compressed = Gzipped(plain);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string& base = i % 2 == 0 ? plain : compressed;
    accepted += Values(testing::Mutated(base, 1 + i % 4, random)).ok() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 20'000);
}

}  // namespace
}  // namespace convoy
