// Fully connected hidden layers and a softmax.
#ifndef CONVOY_WORKER_MODELS_MLP_H_
#define CONVOY_WORKER_MODELS_MLP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/layers/layer.h"
#include "worker/models/model.h"

namespace convoy {

// Variables layerN/weight [inputs, units] and layerN/bias [units] for hidden layer N = 1, 2, ...,
// then head/weight [units, classes] and head/bias [classes]. Weights start by He (ReLU, GELU) or
// Glorot (tanh, head), biases at zero. Features may be sparse. InvalidArgument: a hidden layer of 0
// units, dropout outside [0, 1), fewer than 2 classes.
absl::StatusOr<std::unique_ptr<Model>> MakeMlp(const v1::Mlp& config, const ModelInput& input);

// InvalidArgument, naming `field`: `rate` is not in [0, 1).
absl::Status CheckDropoutRate(const std::string& field, double rate);

// Appends a fully connected layer "NAME", its activation and, if `dropout` > 0, "NAME/dropout".
struct HiddenLayer {
  std::string name;
  int64_t inputs = 0;
  int64_t units = 0;
  v1::Activation activation = v1::RELU;
  double dropout = 0;
  uint64_t seed = 1;
};
void AppendHiddenLayer(const HiddenLayer& hidden, std::vector<std::unique_ptr<Layer>>* layers);

// Appends the fully connected layer "head" that gives the scores of the classes.
void AppendHead(int64_t inputs, int64_t classes, std::vector<std::unique_ptr<Layer>>* layers);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_MLP_H_
