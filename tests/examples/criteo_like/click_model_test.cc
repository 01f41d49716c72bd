#include "examples/criteo_like/click_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "examples/criteo_like/best_scores.h"

namespace convoy::criteo_like {
namespace {

ClickModelOptions Small(uint64_t seed = 1) {
  ClickModelOptions options;
  options.seed = seed;
  options.features = 20'000;
  return options;
}

TEST(ClickModelTest, EachFieldHasOneIdOfItsOwnRange) {
  const ClickModel model(Small());
  EXPECT_EQ(model.first_id(0), 1U);
  EXPECT_EQ(model.first_id(kFields), 20'001U);
  for (uint64_t row = 0; row < 2000; ++row) {
    const Impression impression = model.Draw(row);
    for (int field = 0; field < kFields; ++field) {
      const uint32_t id = impression.ids[static_cast<size_t>(field)];
      EXPECT_GE(id, model.first_id(field));
      EXPECT_LT(id, model.first_id(field + 1));
    }
    EXPECT_GT(impression.probability, 0);
    EXPECT_LT(impression.probability, 1);
  }
}

TEST(ClickModelTest, AnImpressionIsAFunctionOfSeedAndNumber) {
  const ClickModel model(Small()), same(Small()), other(Small(2));
  const Impression a = model.Draw(77), b = same.Draw(77);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.probability, b.probability);
  EXPECT_EQ(a.clicked, b.clicked);
  EXPECT_NE(other.Draw(77).ids, a.ids);
  EXPECT_NE(model.Draw(78).ids, a.ids);
}

// 20,000 clicks of about 0.25: 5 standard deviations of sqrt(0.25 * 0.75 / 20,000) are 0.0153. The
// log loss of the true model has its mean in the entropy; the deviation of one term is below 1.
TEST(ClickModelTest, ClicksFollowTheTrueProbabilities) {
  const ClickModel model(Small());
  BestScores best;
  double sum = 0;
  for (uint64_t row = 0; row < 20'000; ++row) {
    const Impression impression = model.Draw(row);
    best.Add(impression.probability, impression.clicked);
    sum += impression.probability;
  }
  EXPECT_NEAR(sum / 20'000, 0.25, 0.0153);
  EXPECT_NEAR(best.click_rate(), sum / 20'000, 0.0153);
  EXPECT_NEAR(best.log_loss(), best.entropy(), 5 / std::sqrt(20'000));
  // Clicks can be told apart, and not fully: a log to learn from.
  EXPECT_GT(best.Auc(), 0.7);
  EXPECT_LT(best.Auc(), 0.9);
}

TEST(ClickModelTest, WithoutFactorsAndWeightsAllProbabilitiesAreTheClickRate) {
  ClickModelOptions options = Small();
  options.factor_deviation = 0;
  options.weight_deviation = 0;
  const ClickModel model(options);
  for (uint64_t row = 0; row < 100; ++row) EXPECT_NEAR(model.Draw(row).probability, 0.25, 1e-9);
}

}  // namespace
}  // namespace convoy::criteo_like
