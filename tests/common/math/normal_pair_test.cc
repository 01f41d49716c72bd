#include "common/math/normal_pair.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "common/math/random.h"

namespace convoy {
namespace {

// (0, 1] as ToNormalPair uses it: the ends, the neighbours of 1, and 100,000 numbers between.
TEST(PortableLogTest, AgreesWithTheLogarithmInDouble) {
  const RandomStream random(1, "log");
  for (uint64_t i = 0; i < 100'000; ++i) {
    const float x = std::ldexp(1.0f - random.Uniform(i), -static_cast<int>(i % 31));
    const double want = std::log(double{x});
    ASSERT_NEAR(PortableLog(x), want, 1e-7 + 1.5e-7 * std::abs(want)) << x;
  }
  EXPECT_EQ(PortableLog(1.0f), 0.0f);
  EXPECT_NEAR(PortableLog(0x1p-31f), -31 * std::numbers::ln2, 3e-6);
}

TEST(OfTurnTest, AgreesWithSineAndCosineInDouble) {
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 30'011) {
    const double angle = static_cast<double>(bits) * 0x1p-32 * 2 * std::numbers::pi;
    const SineCosine got = OfTurn(static_cast<uint32_t>(bits));
    ASSERT_NEAR(got.sine, std::sin(angle), 2e-7) << bits;
    ASSERT_NEAR(got.cosine, std::cos(angle), 2e-7) << bits;
  }
}

TEST(OfTurnTest, QuartersOfATurnAreExact) {
  EXPECT_EQ(OfTurn(0).cosine, 1.0f);
  EXPECT_EQ(OfTurn(1u << 30).sine, 1.0f);
  EXPECT_EQ(OfTurn(2u << 30).cosine, -1.0f);
  EXPECT_EQ(OfTurn(3u << 30).sine, -1.0f);
  EXPECT_EQ(OfTurn(2u << 30).sine, 0.0f);
}

// radius_bits 0 gives the longest radius, sqrt(2 * 31 * ln 2) = 6.55554; all ones give 0.
TEST(NormalPairTest, ExtremesAreFinite) {
  EXPECT_NEAR(ToNormalPair(0, 0).first, 6.55554, 1e-5);
  EXPECT_NEAR(ToNormalPair(0, 1u << 30).second, 6.55554, 1e-5);
  EXPECT_EQ(ToNormalPair(0xffffffff, 0).first, 0.0f);
}

}  // namespace
}  // namespace convoy
