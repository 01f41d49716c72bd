#include "examples/criteo_like/best_scores.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convoy::criteo_like {
namespace {

TEST(BestScoresTest, EntropyIsThatOfTheProbabilitiesAndLossThatOfTheOutcomes) {
  BestScores best;
  best.Add(0.5, true);
  best.Add(0.25, false);
  const double quarter = -0.25 * std::log(0.25) - 0.75 * std::log(0.75);
  EXPECT_NEAR(best.entropy(), (std::log(2) + quarter) / 2, 1e-12);
  EXPECT_NEAR(best.log_loss(), (std::log(2) - std::log(0.75)) / 2, 1e-12);
  EXPECT_EQ(best.click_rate(), 0.5);
  EXPECT_EQ(best.impressions(), 2U);
}

// Clicks at 0.9 and 0.4, others at 0.4 and 0.1: of four pairs 3 are in order, one is equal.
TEST(BestScoresTest, AucCountsPairsInOrderAndHalfOfEqualOnes) {
  BestScores best;
  best.Add(0.4, false);
  best.Add(0.9, true);
  best.Add(0.1, false);
  best.Add(0.4, true);
  EXPECT_DOUBLE_EQ(best.Auc(), 3.5 / 4);
}

TEST(BestScoresTest, AucOfOneOutcomeIsOneHalf) {
  BestScores best;
  best.Add(0.4, true);
  EXPECT_EQ(best.Auc(), 0.5);
}

}  // namespace
}  // namespace convoy::criteo_like
