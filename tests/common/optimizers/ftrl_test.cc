#include "common/optimizers/ftrl.h"

#include <cmath>

#include "tests/common/optimizers/optimizer_fixture.h"

namespace convoy {
namespace {

// Algorithm 1 of the paper as it stands there, in double, with z at the start chosen so that the
// first weight is `w`.
class PaperFtrl {
 public:
  PaperFtrl(double alpha, double beta, double l1, double l2, double w)
      : alpha_(alpha), beta_(beta), l1_(l1), l2_(l2), w_(w) {
    if (w != 0) z_ = -w * (beta / alpha + l2) - std::copysign(l1, w);
  }
  double Update(double g) {
    const double sigma = (std::sqrt(n_ + g * g) - std::sqrt(n_)) / alpha_;
    z_ += g - sigma * w_;
    n_ += g * g;
    w_ = std::abs(z_) <= l1_
             ? 0
             : -(z_ - std::copysign(l1_, z_)) / ((beta_ + std::sqrt(n_)) / alpha_ + l2_);
    return w_;
  }
  double z() const { return z_; }

 private:
  const double alpha_, beta_, l1_, l2_;
  double w_, z_ = 0, n_ = 0;
};

// alpha = 0.5, beta = 1, no penalties, from w = 0:
// g = 3: n = 9, sigma w = 0, z = 3,   w = -3 / ((1 + 3) / 0.5) = -0.375
// g = 4: n = 25, sigma = (5 - 3) / 0.5 = 4, z = 3 + 4 + 4 * 0.375 = 8.5, w = -8.5 / 12
TEST(FtrlTest, FollowsTheAlgorithmFromZero) {
  const auto ftrl = OptimizerFromText("ftrl {}");
  TestVariable w(*ftrl, {0});
  w.Update(*ftrl, 0.5f, {3});
  EXPECT_EQ(w.weight(), -0.375f);
  EXPECT_EQ(w.slot(0), 3.0f);
  EXPECT_EQ(w.slot(1), 9.0f);
  w.Update(*ftrl, 0.5f, {4});
  EXPECT_FLOAT_EQ(w.weight(), -8.5f / 12);
  EXPECT_FLOAT_EQ(w.slot(0), 8.5f);
}

// lambda1 = 2, lambda2 = 4, alpha = 0.5, beta = 1, from w = 0:
// g = 1.5: z = 1.5, |z| <= 2: w stays 0
// g = 2:   z = 3.5, n = 2.25 + 4 = 6.25: w = -(3.5 - 2) / ((1 + 2.5) / 0.5 + 4) = -1.5 / 11
// g = -2:  n = 10.25, sigma = (sqrt(10.25) - 2.5) / 0.5, z = 3.5 - 2 + sigma * 1.5 / 11 = 1.69,
//          |z| <= 2 again: exactly 0
TEST(FtrlTest, L1HoldsWeightsAtExactlyZeroUntilTheGradientsExceedIt) {
  const auto ftrl = OptimizerFromText("ftrl {} l1: 2 l2: 4");
  TestVariable w(*ftrl, {0});
  w.Update(*ftrl, 0.5f, {1.5f});
  EXPECT_EQ(w.weight(), 0.0f);
  EXPECT_EQ(w.slot(0), 1.5f);
  w.Update(*ftrl, 0.5f, {2});
  EXPECT_FLOAT_EQ(w.weight(), -1.5f / 11);
  w.Update(*ftrl, 0.5f, {-2});
  EXPECT_EQ(w.weight(), 0.0f);
  EXPECT_NEAR(w.slot(0), 1.5 + (std::sqrt(10.25) - 2.5) / 0.5 * 1.5 / 11, 1e-6);
}

// Weights pass zero, are held there and leave it again; float32 against double: 1e-5.
TEST(FtrlTest, EqualsThePaperOverManyStepsAtAConstantRate) {
  int zeros = 0;
  for (const float start : {0.0f, 0.8f, -0.3f}) {
    const auto ftrl = OptimizerFromText("ftrl { beta: 0.5 } l1: 3 l2: 0.3");
    TestVariable w(*ftrl, {start});
    PaperFtrl paper(0.25f, 0.5, 3, 0.3f, start);
    for (int t = 0; t < 200; ++t) {
      const float g = static_cast<float>(std::sin(0.7 * t) + std::cos(0.05 * t));
      w.Update(*ftrl, 0.25f, {g});
      ASSERT_NEAR(w.weight(), paper.Update(g), 1e-5) << "step " << t;
      ASSERT_NEAR(w.slot(0), paper.z(), 1e-4) << "step " << t;
      zeros += w.weight() == 0;
    }
  }
  EXPECT_GT(zeros, 10);
  EXPECT_LT(zeros, 590);
}

// z starts at -0.5 * (1 / 0.5) = -1 in the paper's terms. g = 1: n = 1, sigma = 2,
// z = -1 + 1 - 2 * 0.5 = -1, w = 1 / ((1 + 1) / 0.5) = 0.25 = 0.5 - g / c with c = 4.
TEST(FtrlTest, InitialWeightsAreKept) {
  const auto ftrl = OptimizerFromText("ftrl {}");
  TestVariable w(*ftrl, {0.5f});
  w.Update(*ftrl, 0.5f, {0});
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*ftrl, 0.5f, {1});
  EXPECT_EQ(w.weight(), 0.25f);
  EXPECT_EQ(w.slot(0), -1.0f);
}

TEST(FtrlTest, ZeroGradientChangesNothingWhateverTheRate) {
  const auto ftrl = OptimizerFromText("ftrl {} l1: 0.3 l2: 0.1");
  TestVariable w(*ftrl, {0.37f});
  w.Update(*ftrl, 0.1f, {0.9f});
  const float weight = w.weight(), z = w.slot(0), n = w.slot(1);
  for (const float rate : {0.1f, 0.01f, 1e-20f, 0.0f}) w.Update(*ftrl, rate, {0});
  EXPECT_EQ(w.weight(), weight);
  EXPECT_EQ(w.slot(0), z);
  EXPECT_EQ(w.slot(1), n);
}

TEST(FtrlTest, RateOfZeroChangesNothingAndCopiesTheWeights) {
  const auto ftrl = OptimizerFromText("ftrl {}");
  const std::vector<float> gradient = {1, 2}, in = {3, 4};
  std::vector<float> out(2), z(2), n(2);
  float* const slots[] = {z.data(), n.data()};
  ftrl->Apply({0, 1, 1}, {gradient.data(), in.data(), out.data(), slots, 2});
  EXPECT_EQ(out, in);
  EXPECT_EQ(n, std::vector<float>(2));
}

// c = 0 in an untouched coordinate: no 0 / 0.
TEST(FtrlTest, BetaOfZeroIsFineBeforeTheFirstGradient) {
  const auto ftrl = OptimizerFromText("ftrl { beta: 0 }");
  TestVariable w(*ftrl, {0.5f});
  w.Update(*ftrl, 0.25f, {0});
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*ftrl, 0.25f, {2});  // c = 2 / 0.25 = 8: 0.5 - 2 / 8
  EXPECT_EQ(w.weight(), 0.25f);
}

// Smaller steps, but no shrinking of what was learned.
TEST(FtrlTest, ASmallerRateMakesSmallerStepsFromTheSameWeight) {
  const auto ftrl = OptimizerFromText("ftrl {}");
  TestVariable w(*ftrl, {1});
  w.Update(*ftrl, 1, {1});  // c = 2: 1 - 1 / 2
  EXPECT_EQ(w.weight(), 0.5f);
  w.Update(*ftrl, 0.0625f, {std::sqrt(3.0f)});  // n = 4, c = 3 * 16 = 48
  EXPECT_FLOAT_EQ(w.weight(), 0.5f - std::sqrt(3.0f) / 48);
}

}  // namespace
}  // namespace convoy
