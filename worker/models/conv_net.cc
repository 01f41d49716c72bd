#include "worker/models/conv_net.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/layers/activation.h"
#include "worker/layers/conv2d.h"
#include "worker/layers/max_pool.h"
#include "worker/models/layered_model.h"
#include "worker/models/mlp.h"

namespace convoy {
namespace {

absl::Status CheckImages(const ModelInput& input) {
  const ExampleShape& shape = input.shape;
  if (input.sparse || shape.height < 2 || shape.width < 2 || shape.channels < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.conv_net needs images, got ", input.sparse ? "sparse" : "dense", " examples of ",
        shape.height, " x ", shape.width, " x ", shape.channels, "; use mlp for vectors"));
  }
  if (ShapeSize(shape) == input.features) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model.conv_net: got ", input.features, " features, want ", ShapeSize(shape),
                   " (", shape.height, " x ", shape.width, " x ", shape.channels, ")"));
}

// Appends convolution `number`, ReLU and pooling; updates the shape.
absl::Status AppendConvolution(int number, uint32_t channels, ExampleShape* shape,
                               std::vector<std::unique_ptr<Layer>>* layers) {
  if (channels == 0) {
    return absl::InvalidArgumentError("model.conv_net.channels: got 0, want at least 1");
  }
  if (shape->height < 2 || shape->width < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.conv_net.channels: convolution ", number, " would get images of ", shape->height,
        " x ", shape->width, ", want at least 2 x 2; use fewer of them"));
  }
  layers->push_back(std::make_unique<Conv2d>(Conv2d::Options{
      absl::StrCat("conv", number), *shape, channels, Initializer::HeNormal(9 * shape->channels)}));
  layers->push_back(std::make_unique<Relu>(layers->back()->output_shape()));
  layers->push_back(std::make_unique<MaxPool2x2>(layers->back()->output_shape()));
  *shape = layers->back()->output_shape();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeConvNet(const v1::ConvNet& config,
                                                   const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckImages(input));
  CONVOY_RETURN_IF_ERROR(CheckDropoutRate("model.conv_net.dropout", config.dropout()));
  const std::vector<uint32_t> channels =
      config.channels().empty()
          ? std::vector<uint32_t>{8, 16}
          : std::vector<uint32_t>(config.channels().begin(), config.channels().end());
  LayeredModel::Options options;
  options.features = input.features;
  options.classes = input.classes;
  ExampleShape shape = input.shape;
  for (size_t i = 0; i < channels.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(
        AppendConvolution(static_cast<int>(i) + 1, channels[i], &shape, &options.layers));
  }
  int64_t width = ShapeSize(shape);
  if (config.hidden() > 0) {
    AppendHiddenLayer({"layer1", width, config.hidden(), v1::RELU, config.dropout(), input.seed},
                      &options.layers);
    width = config.hidden();
  }
  AppendHead(width, input.classes, &options.layers);
  return LayeredModel::Create(std::move(options));
}

}  // namespace convoy
