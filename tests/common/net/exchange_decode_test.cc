// Bytes that others may send: valid protobuf in unusual shapes, and malformed ones.
#include <gtest/gtest.h>

#include <random>

#include "common/net/exchange.h"
#include "proto/parameter_server.pb.h"
#include "tests/common/net/wire_text.h"

namespace convoy {
namespace {

using testing::InPieces;
using testing::Text;
using testing::Whole;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  return bytes + static_cast<char>(value);
}
std::string Tag(uint32_t field, uint32_t type) { return Varint(field << 3 | type); }
std::string Field(uint32_t field, uint64_t value) { return Tag(field, 0) + Varint(value); }
std::string Field(uint32_t field, const std::string& bytes) {
  return Tag(field, 2) + Varint(bytes.size()) + bytes;
}
std::string Float(float value) { return std::string(reinterpret_cast<const char*>(&value), 4); }

ExchangeRequest Good(const std::string& bytes) {
  const auto request = DecodeRequest(Whole(bytes));
  EXPECT_TRUE(request.ok()) << request.status();
  v1::ExchangeRequest generated;
  EXPECT_TRUE(generated.ParseFromString(bytes)) << "the test's own bytes are not protobuf";
  return request.ok() ? *request : ExchangeRequest();
}

void ExpectBad(const std::string& bytes, const std::string& what) {
  for (size_t piece : {size_t{1}, bytes.size()}) {
    const absl::Status request = DecodeRequest(InPieces(bytes, piece)).status();
    EXPECT_EQ(request.code(), absl::StatusCode::kInvalidArgument) << what << ": " << request;
    EXPECT_EQ(DecodeReply(InPieces(bytes, piece)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << what;
  }
}

std::string LargeRequest(std::mt19937_64& random) {
  v1::ExchangeRequest r;
  r.set_job_id(random());
  r.set_step(random() % 1000);
  for (int c = 0; c < 3; ++c) {
    v1::Contribution* contribution = r.add_contributions();
    contribution->set_cell(static_cast<uint32_t>(random()));
    contribution->set_base_version(random());
    for (uint64_t i = random() % 40; i > 0; --i)
      contribution->add_values(static_cast<float>(random()) * 1e-9f);
  }
  for (int i = 0; i < 3; ++i) r.add_pull_cells(static_cast<uint32_t>(random()));
  r.set_final(true);
  return r.SerializeAsString();
}

TEST(ExchangeDecodeTest, PackedValuesInSeveralPiecesAndUnpackedOnesAreOneTensor) {
  const std::string cell = Field(1, 9) + Field(3, Float(1) + Float(2)) + Tag(3, 5) + Float(3) +
                           Field(2, 4) + Field(3, "") + Field(3, Float(4)) + Tag(3, 5) + Float(5);
  const ExchangeRequest request = Good(Field(13, cell));
  ASSERT_EQ(request.contributions.size(), 1u);
  EXPECT_EQ(request.contributions[0].cell, 9u);
  EXPECT_EQ(request.contributions[0].base_version, 4u);
  EXPECT_EQ(testing::Bits(request.contributions[0].values),
            testing::Bits(testing::Floats({1, 2, 3, 4, 5})));
}

TEST(ExchangeDecodeTest, PulledCellsMayBePackedOrNot) {
  const ExchangeRequest request =
      Good(Field(14, 3) + Field(14, Varint(300) + Varint(1)) + Field(14, "") + Field(14, 7));
  EXPECT_EQ(std::vector<uint32_t>(request.pull_cells.begin(), request.pull_cells.end()),
            (std::vector<uint32_t>{3, 300, 1, 7}));
}

TEST(ExchangeDecodeTest, AnchorsArePulledByCellPackedOrNotAndWithRows) {
  const std::string rows = Field(3, 1) + Field(1, 2) + Field(2, "12345678");
  const ExchangeRequest request =
      Good(Field(22, 3) + Field(22, Varint(300) + Varint(1)) + Field(21, rows));
  EXPECT_EQ(std::vector<uint32_t>(request.pull_anchors.begin(), request.pull_anchors.end()),
            (std::vector<uint32_t>{3, 300, 1}));
  ASSERT_EQ(request.pull_rows.size(), 1u);
  EXPECT_TRUE(request.pull_rows[0].anchors);
  EXPECT_EQ(request.pull_rows[0].ids.size(), 8u);
  EXPECT_FALSE(Good(Field(21, Field(1, 2))).pull_rows[0].anchors);
}

TEST(ExchangeDecodeTest, UnknownFieldsAreSkippedAtEveryLevel) {
  const std::string unknown =
      Field(100, 5) + Field(101, "abc") + Tag(102, 1) + "12345678" + Tag(103, 5) + "1234";
  const std::string cell = unknown + Field(1, 2) + unknown + Field(3, Float(8)) + unknown;
  const ExchangeRequest request =
      Good(unknown + Field(6, 12) + unknown + Field(13, cell) + unknown);
  EXPECT_EQ(request.step, 12u);
  EXPECT_EQ(request.contributions[0].cell, 2u);
  EXPECT_EQ(request.contributions[0].values.size(), 4u);
}

TEST(ExchangeDecodeTest, AKnownFieldOfAnotherTypeIsUnknown) {
  const ExchangeRequest request = Good(Field(6, "text") + Field(1, 5) + Field(13, 4));
  EXPECT_EQ(Text(request), Text(ExchangeRequest()));
}

TEST(ExchangeDecodeTest, FieldsComeInAnyOrderAndTheLastValueCounts) {
  ExchangeRequest expected;
  expected.step = 2;
  expected.worker = 5;
  expected.final = true;
  expected.clock_event = ClockEvent::kJoin;
  EXPECT_EQ(Text(Good(Field(18, 1) + Field(12, 1) + Field(6, 1) + Field(4, 5) + Field(6, 2))),
            Text(expected));
}

TEST(ExchangeDecodeTest, MessagesAreTheSameHoweverTheirBytesAreCut) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const std::string bytes = LargeRequest(random);
    const std::string expected = Text(*DecodeRequest(Whole(bytes)));
    ASSERT_EQ(Text(*DecodeRequest(testing::InRandomPieces(bytes, random))), expected)
        << "seed " << seed;
    ASSERT_EQ(Text(*DecodeRequest(InPieces(bytes, 1))), expected) << "seed " << seed;
  }
}

TEST(ExchangeDecodeTest, MalformedBytesNameTheFieldAndThePlace) {
  // 3 bytes of a good field, then field 13 of 5 bytes of which there are 2.
  const absl::Status status =
      DecodeRequest(Whole(Field(6, 300) + Tag(13, 2) + Varint(5) + "ab")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "malformed ExchangeRequest: field 13 at byte 3 of 7 cannot be read; the sender is not "
            "a Convoy client "
            "of this version");
}

// A cut between two top-level fields leaves a shorter good message; everywhere else it is an error.
// The generated parser says which is which.
TEST(ExchangeDecodeTest, CutMessagesAreRefusedWhereTheGeneratedParserRefusesThem) {
  std::mt19937_64 random(5);
  const std::string bytes = LargeRequest(random);
  size_t refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    v1::ExchangeRequest generated;
    const bool good = generated.ParseFromString(cut);
    refused += !good;
    EXPECT_EQ(DecodeRequest(Whole(cut)).ok(), good) << size << " of " << bytes.size();
    EXPECT_EQ(DecodeRequest(InPieces(cut, 1)).ok(), good) << size << " of " << bytes.size();
  }
  EXPECT_GT(refused, bytes.size() / 2);
}

TEST(ExchangeDecodeTest, LengthsBeyondTheMessageAreRefused) {
  const uint32_t nested[] = {13, 4};  // contributions of requests, cells of replies
  for (uint64_t length :
       {uint64_t{1}, uint64_t{1} << 31, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}}) {
    ExpectBad(Tag(100, 2) + Varint(length), "unknown bytes");
    EXPECT_FALSE(DecodeRequest(Whole(Tag(14, 2) + Varint(length))).ok());
    EXPECT_FALSE(DecodeReply(Whole(Tag(3, 2) + Varint(length))).ok());
    for (uint32_t field : nested) {
      const std::string inner = Field(field, Tag(3, 2) + Varint(length));
      EXPECT_FALSE(
          (field == 13 ? DecodeRequest(Whole(inner)).ok() : DecodeReply(Whole(inner)).ok()))
          << length;
    }
  }
}

TEST(ExchangeDecodeTest, NestedLengthsBeyondTheirParentAreRefused) {
  // The tensor claims 8 bytes, its contribution ends after 4; the following bytes belong to the
  // parent.
  const std::string parent =
      Tag(13, 2) + Varint(2 + 4) + Tag(3, 2) + Varint(8) + Float(1) + Field(6, 1) + Field(6, 1);
  EXPECT_FALSE(DecodeRequest(Whole(parent)).ok());
  EXPECT_FALSE(DecodeRequest(InPieces(parent, 1)).ok());
  // A varint, and an unpacked float, that straddle the end of the contribution.
  EXPECT_FALSE(DecodeRequest(Whole(Tag(13, 2) + Varint(2) + Tag(1, 0) + Varint(300))).ok());
  EXPECT_FALSE(DecodeRequest(Whole(Tag(13, 2) + Varint(3) + Tag(3, 5) + Float(1))).ok());
  EXPECT_FALSE(DecodeRequest(Whole(Tag(14, 2) + Varint(1) + Varint(300))).ok());
}

TEST(ExchangeDecodeTest, GroupsReservedTypesAndFieldZeroAreRefused) {
  ExpectBad(Tag(50, 3) + Tag(50, 4), "a group");
  ExpectBad(Tag(50, 4), "the end of a group");
  ExpectBad(Tag(50, 6), "type 6");
  ExpectBad(Tag(50, 7), "type 7");
  ExpectBad(Field(0, 1), "field 0");
  ExpectBad(Field(0, "abc"), "field 0, bytes");
  ExpectBad(std::string(11, '\xff'), "a varint of 11 bytes");
}

TEST(ExchangeDecodeTest, NumbersTooLargeForTheirFieldAreRefused) {
  EXPECT_FALSE(DecodeRequest(Whole(Field(4, uint64_t{1} << 32))).ok()) << "worker";
  EXPECT_FALSE(DecodeRequest(Whole(Field(18, 4))).ok()) << "clock_event";
  EXPECT_TRUE(DecodeRequest(Whole(Field(4, (uint64_t{1} << 32) - 1))).ok());
}

// Must not crash, hang or read beyond the bytes (AddressSanitizer); what is accepted is within the
// message.
TEST(ExchangeDecodeTest, RandomlyDamagedMessagesDoNoHarm) {
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::string bytes = LargeRequest(random);
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      const size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 5);
          break;
        case 2:
          bytes.insert(at, 1 + random() % 5, static_cast<char>(random()));
          break;
      }
      if (bytes.empty()) bytes.push_back('x');
    }
    const auto request = DecodeRequest(testing::InRandomPieces(bytes, random));
    if (request.ok()) {
      ASSERT_LE(request->payload_bytes(), bytes.size());
    }
    DecodeReply(testing::InRandomPieces(bytes, random)).status().IgnoreError();
  }
}

}  // namespace
}  // namespace convoy
