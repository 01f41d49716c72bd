#include "worker/layers/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::ExpectLayerGradients;

constexpr ExampleShape kShape{1, 1, 21};

std::vector<float> Apply(Layer& layer, const std::vector<float>& values) {
  Batch batch = DenseBatch(1, layer.inputs(), 0);
  std::copy(values.begin(), values.end(), batch.dense.data());
  AlignedBuffer output(layer.outputs());
  LayerPass pass;
  pass.batch = &batch;
  pass.input = batch.dense.data();
  EXPECT_TRUE(layer.Forward(pass, output.data()).ok());
  return {output.data(), output.data() + values.size()};
}

std::vector<float> FromMinusFiveToFive() {
  std::vector<float> values;
  for (int i = 0; i < 21; ++i) values.push_back(0.5f * static_cast<float>(i) - 5.0f);
  return values;
}

TEST(ReluTest, NegativeValuesBecomeZero) {
  Relu relu({1, 1, 3});
  EXPECT_EQ(Apply(relu, {-2, 0, 3}), (std::vector<float>{0, 0, 3}));
}

TEST(ReluTest, GradientMatchesDifferencesAwayFromZero) {
  Relu relu(kShape);
  Batch batch = DenseBatch(5, 21, 0);
  for (float& value : batch.dense.span()) value += value < 0 ? -0.1f : 0.1f;
  ExpectLayerGradients(relu, std::move(batch));
}

TEST(TanhTest, ValuesAreThoseOfTheLibraryWithinFourUlps) {
  Tanh tanh(kShape);
  const std::vector<float> x = FromMinusFiveToFive();
  const std::vector<float> y = Apply(tanh, x);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], std::tanh(double{x[i]}), 4 * 0x1p-24);
}

TEST(TanhTest, GradientMatchesDifferences) {
  Tanh tanh(kShape);
  ExpectLayerGradients(tanh, DenseBatch(5, 21, 0));
}

TEST(GeluTest, ValuesAreThoseOfTheExactErfForm) {
  Gelu gelu(kShape);
  const std::vector<float> x = FromMinusFiveToFive();
  const std::vector<float> y = Apply(gelu, x);
  for (size_t i = 0; i < x.size(); ++i) {
    // The tanh approximation is off by up to 4.7e-4. 1 + erf has an error of some 2^-23, times x
    // / 2.
    const double want = 0.5 * x[i] * (1 + std::erf(double{x[i]} / std::sqrt(2.0)));
    EXPECT_NEAR(y[i], want, 1e-6) << x[i];
  }
}

TEST(GeluTest, GradientMatchesDifferences) {
  Gelu gelu(kShape);
  ExpectLayerGradients(gelu, DenseBatch(5, 21, 0));
}

TEST(ActivationTest, NotANumberStaysOneInEveryPosition) {
  Relu relu(kShape);
  Tanh tanh(kShape);
  Gelu gelu(kShape);
  for (Layer* layer :
       {static_cast<Layer*>(&relu), static_cast<Layer*>(&tanh), static_cast<Layer*>(&gelu)}) {
    for (size_t i = 0; i < 21; ++i) {
      std::vector<float> values(21, 1.0f);
      values[i] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_TRUE(std::isnan(Apply(*layer, values)[i])) << i;
    }
  }
}

}  // namespace
}  // namespace convoy
