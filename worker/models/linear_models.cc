#include "worker/models/linear_models.h"

#include <cstdint>
#include <utility>

#include "worker/layers/dense.h"
#include "worker/models/layered_model.h"

namespace convoy {
namespace {

absl::StatusOr<std::unique_ptr<Model>> MakeLinear(Model::Task task, bool bias, int64_t outputs,
                                                  const ModelInput& input) {
  LayeredModel::Options options;
  options.task = task;
  options.features = input.features;
  options.sparse = input.sparse;
  options.classes = input.classes;
  options.layers.push_back(std::make_unique<Dense>(
      Dense::Options{"head", input.features, outputs, Initializer::Zeros(), bias}));
  return LayeredModel::Create(std::move(options));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeLinearRegression(const v1::LinearRegression& config,
                                                            const ModelInput& input) {
  return MakeLinear(Model::Task::kRegression, config.bias(), 1, input);
}

absl::StatusOr<std::unique_ptr<Model>> MakeLogisticRegression(const v1::LogisticRegression& config,
                                                              const ModelInput& input) {
  return MakeLinear(Model::Task::kBinary, config.bias(), 1, input);
}

absl::StatusOr<std::unique_ptr<Model>> MakeSoftmaxRegression(const v1::SoftmaxRegression& config,
                                                             const ModelInput& input) {
  return MakeLinear(Model::Task::kMulticlass, config.bias(), input.classes, input);
}

}  // namespace convoy
