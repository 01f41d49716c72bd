// A small convolutional net for images.
#ifndef CONVOY_WORKER_MODELS_CONV_NET_H_
#define CONVOY_WORKER_MODELS_CONV_NET_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// For each N = 1, 2, ... of config.channels: 3x3 convolution (convN/weight [3, 3, in, out],
// convN/bias), ReLU, 2x2 max pooling; then, if config.hidden > 0, a fully connected ReLU layer
// (layer1/weight, layer1/bias) with dropout; then head/weight and head/bias. Weights start by He,
// the head by Glorot, biases at zero.
// InvalidArgument: examples that are not images or are too small for the poolings, sparse features,
// a layer of 0 channels, dropout outside [0, 1), fewer than 2 classes.
absl::StatusOr<std::unique_ptr<Model>> MakeConvNet(const v1::ConvNet& config,
                                                   const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_CONV_NET_H_
