#include "worker/layers/max_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/math/random.h"
#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::MemoryParameters;
using ::testing::ElementsAre;

struct PoolResult {
  std::vector<float> output;
  std::vector<float> input_gradient;
};

// Forward of one image, and backward with 1, 2, 3 ... as the gradient of the output.
PoolResult RunOnce(const ExampleShape& shape, const std::vector<float>& image) {
  MaxPool2x2 pool(shape);
  Batch batch = DenseBatch(1, ShapeSize(shape), 0);
  std::copy(image.begin(), image.end(), batch.dense.data());
  LayerPass pass;
  pass.batch = &batch;
  pass.input = batch.dense.data();
  AlignedBuffer output(pool.outputs()), output_gradient(pool.outputs());
  for (size_t i = 0; i < output_gradient.size(); ++i)
    output_gradient[i] = static_cast<float>(i + 1);
  std::vector<float> input_gradient(image.size(), -1);
  MemoryParameters none({});
  EXPECT_TRUE(pool.Forward(pass, output.data()).ok());
  EXPECT_TRUE(
      pool.Backward(pass, output.data(), output_gradient.data(), input_gradient.data(), none).ok());
  return {{output.span().begin(), output.span().end()}, input_gradient};
}

TEST(MaxPoolTest, LargestOfEachSquareGetsTheGradient) {
  const PoolResult result = RunOnce({2, 4, 1}, {1, 2, 9, 6,  //
                                                4, 3, 7, 8});
  EXPECT_THAT(result.output, ElementsAre(4, 9));
  EXPECT_THAT(result.input_gradient, ElementsAre(0, 0, 2, 0, 1, 0, 0, 0));
}

TEST(MaxPoolTest, ChannelsArePooledSeparately) {
  const PoolResult result = RunOnce({2, 2, 2}, {1, 8, 2, 7, 3, 6, 4, 5});
  EXPECT_THAT(result.output, ElementsAre(4, 8));
  EXPECT_THAT(result.input_gradient, ElementsAre(0, 2, 0, 0, 0, 0, 1, 0));
}

TEST(MaxPoolTest, FirstOfEqualValuesGetsTheGradient) {
  EXPECT_THAT(RunOnce({2, 2, 1}, {5, 5, 5, 5}).input_gradient, ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(RunOnce({2, 2, 1}, {1, 5, 5, 5}).input_gradient, ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(RunOnce({2, 2, 1}, {1, 1, 5, 5}).input_gradient, ElementsAre(0, 0, 1, 0));
}

TEST(MaxPoolTest, OddLastRowAndColumnAreLeftOut) {
  const PoolResult result = RunOnce({3, 3, 1}, {1, 2, 9, 3, 4, 9, 9, 9, 9});
  EXPECT_THAT(result.output, ElementsAre(4));
  EXPECT_THAT(result.input_gradient, ElementsAre(0, 0, 0, 0, 1, 0, 0, 0, 0));
}

TEST(MaxPoolTest, GradientMatchesDifferencesWhereValuesAreApart) {
  MaxPool2x2 pool({5, 6, 3});
  Batch batch = DenseBatch(2, 90, 0);
  // A permutation of multiples of 0.05, more than twice the step of 2^-7 apart.
  const std::vector<uint32_t> order = SeededPermutation(180, 1, "values", 0);
  for (size_t i = 0; i < 180; ++i) batch.dense[i] = 0.05f * static_cast<float>(order[i]) - 4;
  testing::ExpectLayerGradients(pool, std::move(batch));
}

}  // namespace
}  // namespace convoy
