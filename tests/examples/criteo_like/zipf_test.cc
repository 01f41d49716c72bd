#include "examples/criteo_like/zipf.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convoy::criteo_like {
namespace {

// All slots and 2^12 coins in even steps: the share of a rank is exact up to n * 2^-12 of a slot.
TEST(ZipfTest, SharesFollowThePowerLaw) {
  constexpr uint32_t kRanks = 64;
  constexpr uint32_t kCoins = 1 << 12;
  const Zipf zipf(kRanks, 1.2);
  std::vector<double> counts(kRanks);
  for (uint64_t slot = 0; slot < kRanks; ++slot) {
    for (uint32_t coin = 0; coin < kCoins; ++coin) {
      ++counts[zipf.Rank(static_cast<uint32_t>(slot << 26), coin << 20)];
    }
  }
  double sum = 0;
  for (uint32_t k = 0; k < kRanks; ++k) sum += std::pow(k + 1.0, -1.2);
  for (uint32_t k = 0; k < kRanks; ++k) {
    EXPECT_NEAR(counts[k] / (kRanks * kCoins), std::pow(k + 1.0, -1.2) / sum, 1.0 / kCoins) << k;
  }
}

TEST(ZipfTest, OneRankIsAlwaysDrawn) {
  const Zipf zipf(1, 1);
  EXPECT_EQ(zipf.Rank(UINT32_MAX, UINT32_MAX), 0U);
  EXPECT_EQ(zipf.Rank(0, 0), 0U);
}

TEST(ZipfTest, ExponentZeroIsUniform) {
  const Zipf zipf(4, 0);
  for (uint32_t slot = 0; slot < 4; ++slot) EXPECT_EQ(zipf.Rank(slot << 30, 1 << 31), slot);
}

}  // namespace
}  // namespace convoy::criteo_like
