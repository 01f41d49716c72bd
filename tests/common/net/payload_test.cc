#include "common/net/payload.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tests/common/net/wire_text.h"

namespace convoy {
namespace {

using testing::Bytes;

// The bits that ForEachFloatRun delivers; fails on a run that is misaligned, empty or out of order.
std::vector<uint32_t> Delivered(const Payload& payload) {
  std::vector<uint32_t> bits;
  ForEachFloatRun(payload, [&](const float* values, size_t count, size_t index) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(values) % alignof(float), 0u);
    EXPECT_GT(count, 0u);
    EXPECT_EQ(index, bits.size());
    const size_t old = bits.size();
    bits.resize(old + count);
    std::memcpy(bits.data() + old, values, count * sizeof(float));
  });
  return bits;
}

std::string RandomBytes(size_t size, std::mt19937_64& random) {
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());  // NaNs with payloads too: bits must survive
  return bytes;
}

std::vector<uint32_t> BitsOf(const std::string& bytes) {
  std::vector<uint32_t> bits(bytes.size() / 4);
  std::memcpy(bits.data(), bytes.data(), bits.size() * 4);
  return bits;
}

// More than one scratch buffer (1,024 floats), at every address modulo 4, in every pair of pieces
// modulo 4.
TEST(PayloadTest, FloatsAreWholeAtAnyAlignmentAndCut) {
  std::mt19937_64 random(1);
  const size_t floats = 2500;
  const std::string bytes = RandomBytes(floats * 4, random);
  for (size_t shift = 0; shift < 4; ++shift) {
    for (size_t cut : {0, 1, 2, 3, 4, 5, 4095, 4096, 4097, 6001, 9998}) {
      for (size_t second_shift = 0; second_shift < 4; ++second_shift) {
        std::vector<char> one(cut + shift + 8), two(bytes.size() - cut + second_shift + 8);
        std::memcpy(one.data() + shift, bytes.data(), cut);
        std::memcpy(two.data() + second_shift, bytes.data() + cut, bytes.size() - cut);
        Payload payload;
        payload.Append({one.data() + shift, cut});
        payload.Append({two.data() + second_shift, bytes.size() - cut});
        ASSERT_EQ(Delivered(payload), BitsOf(bytes)) << "shift " << shift << " cut " << cut;
      }
    }
  }
}

TEST(PayloadTest, FloatsAreWholeInAnyPieces) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const std::string bytes = RandomBytes(4 * (random() % 3000), random);
    ASSERT_EQ(Delivered(testing::InRandomPieces(bytes, random)), BitsOf(bytes)) << "seed " << seed;
  }
  std::mt19937_64 random(1);
  const std::string bytes = RandomBytes(4 * 1500, random);
  for (size_t piece : {1, 2, 3, 5, 7, 4099})
    EXPECT_EQ(Delivered(testing::InPieces(bytes, piece)), BitsOf(bytes));
}

TEST(PayloadTest, BytesAfterTheLastWholeFloatAreNotDelivered) {
  std::mt19937_64 random(1);
  for (size_t extra = 1; extra < 4; ++extra) {
    const std::string bytes = RandomBytes(40 + extra, random);
    EXPECT_EQ(Delivered(testing::Whole(bytes)), BitsOf(bytes));
    EXPECT_EQ(Delivered(testing::InPieces(bytes, 1)), BitsOf(bytes));
  }
  EXPECT_TRUE(Delivered(Payload()).empty());
}

TEST(PayloadTest, CopiesShareTheBytesAndKeepTheirOwner) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  std::weak_ptr<std::vector<float>> watch = owner;
  Payload payload(*owner, owner);
  const char* const data = payload.segments()[0].data;
  owner.reset();
  Payload copy = payload;
  payload = Payload();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(copy.segments()[0].data, data);
  EXPECT_EQ(copy.size(), 12u);
  copy = Payload();
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(Bytes(Payload()), "");
}

}  // namespace
}  // namespace convoy
