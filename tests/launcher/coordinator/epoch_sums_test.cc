#include "launcher/coordinator/epoch_sums.h"

#include <gtest/gtest.h>

#include "tests/launcher/coordinator/core_harness.h"

namespace convoy {
namespace {

TEST(EpochSumsTest, SumsAreTheSameWhateverTheOrderOfReports) {
  // In floating point (1e16 + 1) + 1 = 1e16, but 1e16 + (1 + 1) = 1e16 + 2: the order shows.
  const double losses[] = {1e16, 1, 1};
  EpochSums forward, backward;
  for (uint64_t i = 0; i < 3; ++i) forward.Add(0, 0, i, i + 1, MakeSums(1, losses[i]));
  for (uint64_t i = 3; i-- > 0;) backward.Add(0, 0, i, i + 1, MakeSums(1, losses[i]));
  EXPECT_EQ(forward.Total().loss(), (1e16 + 1) + 1);
  EXPECT_EQ(backward.Total().loss(), forward.Total().loss());
}

TEST(EpochSumsTest, ALaterEpochStartsAnewAndAnEarlierOneIsIgnored) {
  EpochSums sums;
  sums.Add(0, 0, 0, 2, MakeSums(8, 1));
  sums.Add(1, 2, 2, 4, MakeSums(8, 3));
  sums.Add(0, 0, 1, 2, MakeSums(8, 100));
  EXPECT_EQ(sums.Total().examples(), 8u);
  EXPECT_EQ(sums.Total().loss(), 3);
}

TEST(EpochSumsTest, WhatComesAfterAGapCountsToo) {
  EpochSums sums;
  sums.Add(0, 1, 3, 4, MakeSums(5, 2));
  EXPECT_EQ(sums.Total().examples(), 5u);
}

}  // namespace
}  // namespace convoy
