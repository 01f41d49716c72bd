#include "common/net/wire_checksum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

namespace convoy {
namespace {

using ::testing::HasSubstr;

class WireChecksumTest : public ::testing::Test {
 protected:
  WireMessage Message() const {
    ExchangeRequest request;
    request.job_id = 7;
    request.request_id = 9;
    request.examples = 3;
    request.contributions.push_back({2, 1, Payload(values_, nullptr)});
    request.contributions.push_back({5, 1, Payload(values_, nullptr)});
    return Encode(request);
  }
  std::string Checked() const {
    WireMessage message = Message();
    AddChecksum(&message);
    return message.ToString();
  }
  // In segments of `size` bytes.
  static Payload Shred(const std::string& bytes, size_t size) {
    Payload payload;
    for (size_t at = 0; at < bytes.size(); at += size)
      payload.Append({bytes.data() + at, std::min(size, bytes.size() - at)});
    return payload;
  }

  const std::vector<float> values_ = std::vector<float>(100, 1.5f);
};

TEST_F(WireChecksumTest, TheLastTenBytesAreAFieldWithTheHashOfTheOthers) {
  const std::string bare = Message().ToString(), checked = Checked();
  ASSERT_EQ(checked.size(), bare.size() + 10);
  EXPECT_EQ(checked.substr(0, bare.size()), bare);
  EXPECT_EQ(checked.substr(bare.size(), 2), "\xf1\x01") << "field 30, fixed64";
  uint64_t hash;
  std::memcpy(&hash, checked.data() + bare.size() + 2, sizeof(hash));  // little endian here
  EXPECT_EQ(hash, XXH3_64bits(bare.data(), bare.size()));
}

TEST_F(WireChecksumTest, FitsHoweverTheBytesLie) {
  const std::string checked = Checked();
  for (size_t size = 1; size <= checked.size(); ++size)
    EXPECT_TRUE(VerifyChecksum(Shred(checked, size)).ok()) << size;
}

TEST_F(WireChecksumTest, ADecoderReadsTheMessageAsWithoutIt) {
  const std::string checked = Checked();
  const auto request = DecodeRequest(Shred(checked, 64));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->request_id, 9u);
  ASSERT_EQ(request->contributions.size(), 2u);
  EXPECT_EQ(request->contributions[1].values.size(), 400u);
}

TEST_F(WireChecksumTest, EveryBitCounts) {
  std::string bytes = Checked();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_TRUE(absl::IsDataLoss(VerifyChecksum(Shred(bytes, 100)))) << bit;
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
  EXPECT_THAT(VerifyChecksum(Shred(bytes.substr(0, 50) + bytes.substr(51), 100)).message(),
              HasSubstr("was damaged on its way"));
}

TEST_F(WireChecksumTest, WithoutOneItIsRefused) {
  const std::string bare = Message().ToString();
  EXPECT_THAT(VerifyChecksum(Shred(bare, 100)).message(),
              HasSubstr("has no checksum at its end, which cluster.wire_checksums asks for"));
  for (size_t size = 0; size < 12; ++size)
    EXPECT_TRUE(absl::IsDataLoss(VerifyChecksum(Shred(bare.substr(0, size), 3)))) << size;
}

TEST_F(WireChecksumTest, DamageIsOneBitAndTheSameForTheSameNumber) {
  WireMessage message = Message();
  AddChecksum(&message);
  const std::string intact = message.ToString();
  for (uint64_t number = 0; number < 200; ++number) {
    const std::string damaged = Damaged(message, number).ToString();
    ASSERT_EQ(damaged.size(), intact.size());
    int bits = 0;
    for (size_t i = 0; i < intact.size(); ++i)
      bits += std::popcount(static_cast<uint8_t>(intact[i] ^ damaged[i]));
    EXPECT_EQ(bits, 1);
    EXPECT_FALSE(VerifyChecksum(Shred(damaged, 70)).ok());
    EXPECT_EQ(damaged, Damaged(message, number).ToString());
  }
}

}  // namespace
}  // namespace convoy
