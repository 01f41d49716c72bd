#include "worker/models/mlp.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/layers/activation.h"
#include "worker/layers/dense.h"
#include "worker/layers/dropout.h"
#include "worker/models/layered_model.h"

namespace convoy {
namespace {

std::unique_ptr<Layer> MakeActivation(v1::Activation activation, int64_t units) {
  const ExampleShape shape{1, 1, units};
  switch (activation) {
    case v1::TANH:
      return std::make_unique<Tanh>(shape);
    case v1::GELU:
      return std::make_unique<Gelu>(shape);
    case v1::RELU:
      break;
  }
  return std::make_unique<Relu>(shape);
}

}  // namespace

absl::Status CheckDropoutRate(const std::string& field, double rate) {
  if (rate >= 0 && rate < 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": got ", rate, ", want at least 0 and less than 1"));
}

void AppendHiddenLayer(const HiddenLayer& hidden, std::vector<std::unique_ptr<Layer>>* layers) {
  const Initializer initializer = hidden.activation == v1::TANH
                                      ? Initializer::GlorotUniform(hidden.inputs, hidden.units)
                                      : Initializer::HeNormal(hidden.inputs);
  layers->push_back(std::make_unique<Dense>(
      Dense::Options{hidden.name, hidden.inputs, hidden.units, initializer}));
  layers->push_back(MakeActivation(hidden.activation, hidden.units));
  if (hidden.dropout == 0) return;
  layers->push_back(std::make_unique<Dropout>(Dropout::Options{
      hidden.name + "/dropout", {1, 1, hidden.units}, hidden.dropout, hidden.seed}));
}

void AppendHead(int64_t inputs, int64_t classes, std::vector<std::unique_ptr<Layer>>* layers) {
  layers->push_back(std::make_unique<Dense>(
      Dense::Options{"head", inputs, classes, Initializer::GlorotUniform(inputs, classes)}));
}

absl::StatusOr<std::unique_ptr<Model>> MakeMlp(const v1::Mlp& config, const ModelInput& input) {
  CONVOY_RETURN_IF_ERROR(CheckDropoutRate("model.mlp.dropout", config.dropout()));
  std::vector<uint32_t> hidden(config.hidden().begin(), config.hidden().end());
  if (hidden.empty()) hidden = {128};
  LayeredModel::Options options;
  options.features = input.features;
  options.sparse = input.sparse;
  options.classes = input.classes;
  int64_t width = input.features;
  int number = 0;
  for (const uint32_t units : hidden) {
    if (units == 0) return absl::InvalidArgumentError("model.mlp.hidden: got 0, want at least 1");
    AppendHiddenLayer({absl::StrCat("layer", ++number), width, units, config.activation(),
                       config.dropout(), input.seed},
                      &options.layers);
    width = units;
  }
  AppendHead(width, input.classes, &options.layers);
  return LayeredModel::Create(std::move(options));
}

}  // namespace convoy
