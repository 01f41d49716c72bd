#include "worker/models/conv_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/worker/models/finite_differences.h"
#include "tests/worker/models/memory_parameters.h"

namespace convoy {
namespace {

using ::convoy::testing::DenseBatch;
using ::convoy::testing::DifferenceOptions;
using ::convoy::testing::ExpectModelGradients;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelInput Images(int64_t height, int64_t width, int64_t channels) {
  ModelInput input;
  input.shape = {height, width, channels};
  input.features = height * width * channels;
  input.classes = 3;
  return input;
}

v1::ConvNet Config(std::vector<uint32_t> channels, uint32_t hidden, double dropout = 0) {
  v1::ConvNet config;
  for (const uint32_t n : channels) config.add_channels(n);
  config.set_hidden(hidden);
  config.set_dropout(dropout);
  return config;
}

std::string Refusal(const v1::ConvNet& config, const ModelInput& input) {
  const auto model = MakeConvNet(config, input);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(model.status().message());
}

TEST(ConvNetTest, DefaultHasTwoConvolutionsAndAHiddenLayer) {
  const auto model = *MakeConvNet({}, Images(28, 28, 1));
  std::vector<std::string> names;
  for (const VariableSpec& spec : model->variables()) names.push_back(spec.name);
  EXPECT_THAT(names, ElementsAre("conv1/weight", "conv1/bias", "conv2/weight", "conv2/bias",
                                 "layer1/weight", "layer1/bias", "head/weight", "head/bias"));
  EXPECT_THAT(model->variables()[0].shape, ElementsAre(3, 3, 1, 8));
  EXPECT_THAT(model->variables()[2].shape, ElementsAre(3, 3, 8, 16));
  EXPECT_THAT(model->variables()[4].shape, ElementsAre(7 * 7 * 16, 64));
}

TEST(ConvNetTest, WithoutHiddenLayerTheHeadFollowsThePooling) {
  const auto model = *MakeConvNet(Config({4}, 0), Images(9, 6, 3));
  ASSERT_EQ(model->variables().size(), 4u);
  EXPECT_THAT(model->variables()[2].shape, ElementsAre(4 * 3 * 4, 3));
}

// A weight of the first convolution reaches every pixel of every image and so comes near some kink
// of ReLU and pooling more often than not with a step of 2^-7; 2^-10 leaves an error of sqrt(400) *
// 2e-7 / 2^-9 = 2e-3 from rounding, and few kinks.
constexpr DifferenceOptions kWithKinks{.step = 0x1p-10f, .tolerance = 1e-2, .kinks = 0.15};

TEST(ConvNetTest, GradientsMatchDifferencesAwayFromKinks) {
  const auto model = *MakeConvNet(Config({3, 4}, 5), Images(6, 5, 2));
  ExpectModelGradients(*model, DenseBatch(3, 60, 3), kWithKinks);
}

TEST(ConvNetTest, GradientsWithDropoutMatchDifferencesAwayFromKinks) {
  const auto model = *MakeConvNet(Config({3}, 6, 0.3), Images(4, 4, 1));
  ExpectModelGradients(*model, DenseBatch(3, 16, 3), kWithKinks);
}

TEST(ConvNetTest, VectorsAndSparseFeaturesAreRefused) {
  EXPECT_THAT(Refusal({}, Images(1, 1, 784)),
              HasSubstr("needs images, got dense examples of 1 x 1"));
  ModelInput sparse = Images(28, 28, 1);
  sparse.sparse = true;
  EXPECT_THAT(Refusal({}, sparse), HasSubstr("got sparse examples"));
  ModelInput other = Images(28, 28, 1);
  other.features = 783;
  EXPECT_THAT(Refusal({}, other), HasSubstr("got 783 features, want 784"));
}

TEST(ConvNetTest, MoreConvolutionsThanTheImageHoldsAreRefused) {
  EXPECT_THAT(Refusal(Config({1, 1, 1, 1, 1}, 0), Images(28, 28, 1)),
              HasSubstr("convolution 5 would get images of 1 x 1"));
}

TEST(ConvNetTest, BadSettingsAreNamed) {
  EXPECT_THAT(Refusal(Config({8, 0}, 4), Images(28, 28, 1)),
              HasSubstr("model.conv_net.channels: got 0"));
  EXPECT_THAT(Refusal(Config({8}, 4, 1), Images(28, 28, 1)), HasSubstr("model.conv_net.dropout"));
}

}  // namespace
}  // namespace convoy
