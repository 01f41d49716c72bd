#include "worker/layers/conv2d.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::ExpectLayerGradients;
using ::convoy::testing::MemoryParameters;
using ::testing::ElementsAre;

Conv2d::Options Options(ExampleShape input, int64_t channels) {
  return {"conv1", input, channels, Initializer::Zeros()};
}

// The sum over the neighbourhood and the input channels, as the definition has it.
double Convolve(const float* image, const ExampleShape& in, std::span<const float> weight,
                int64_t channels, int64_t y, int64_t x, int64_t channel) {
  double sum = 0;
  for (int64_t dy = 0; dy < 3; ++dy) {
    for (int64_t dx = 0; dx < 3; ++dx) {
      const int64_t iy = y + dy - 1, ix = x + dx - 1;
      if (iy < 0 || iy >= in.height || ix < 0 || ix >= in.width) continue;
      for (int64_t c = 0; c < in.channels; ++c) {
        sum += double{image[(iy * in.width + ix) * in.channels + c]} *
               weight[((dy * 3 + dx) * in.channels + c) * channels + channel];
      }
    }
  }
  return sum;
}

TEST(Conv2dTest, OutputIsThatOfTheDefinition) {
  const ExampleShape in{5, 4, 2};
  Conv2d conv(Options(in, 3));
  MemoryParameters parameters(conv.variables());
  parameters.Randomize(1, 1);
  const Batch batch = DenseBatch(2, ShapeSize(in), 0);
  const std::vector<std::span<const float>> weights = {parameters.weights(0),
                                                       parameters.weights(1)};
  LayerPass pass;
  pass.batch = &batch;
  pass.input = batch.dense.data();
  pass.weights = weights;
  AlignedBuffer output(2 * conv.outputs());
  ASSERT_TRUE(conv.Forward(pass, output.data()).ok());
  size_t i = 0;
  for (int64_t image = 0; image < 2; ++image) {
    for (int64_t y = 0; y < in.height; ++y) {
      for (int64_t x = 0; x < in.width; ++x) {
        for (int64_t channel = 0; channel < 3; ++channel, ++i) {
          const double want = Convolve(batch.dense.data() + image * ShapeSize(in), in, weights[0],
                                       3, y, x, channel) +
                              weights[1][channel];
          // 18 products of order 1, errors of 2^-24 each.
          EXPECT_NEAR(output[i], want, 1e-5);
        }
      }
    }
  }
}

TEST(Conv2dTest, ShapesKeepHeightAndWidth) {
  const Conv2d conv(Options({7, 9, 2}, 5));
  EXPECT_EQ(conv.inputs(), 7 * 9 * 2);
  EXPECT_EQ(conv.outputs(), 7 * 9 * 5);
  EXPECT_THAT(conv.variables()[0].shape, ElementsAre(3, 3, 2, 5));
  EXPECT_THAT(conv.variables()[1].shape, ElementsAre(5));
  EXPECT_EQ(conv.variables()[0].name, "conv1/weight");
}

TEST(Conv2dTest, GradientsMatchDifferences) {
  Conv2d conv(Options({5, 4, 2}, 3));
  ExpectLayerGradients(conv, DenseBatch(2, 40, 0));
}

TEST(Conv2dTest, GradientsOverSeveralGroupsOfImagesMatchDifferences) {
  // A patch row has 9 * 64 values: 32768 / (9 * 9 * 64) = 6 images a group, so 6 and 1.
  Conv2d conv(Options({3, 3, 64}, 2));
  ExpectLayerGradients(conv, DenseBatch(7, 9 * 64, 0));
}

}  // namespace
}  // namespace convoy
