#include "worker/models/layer_stack.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/batch_check.h"

namespace convoy {
namespace {

using Layers = std::vector<std::unique_ptr<Layer>>;

constexpr double kMaxLayerElements = 1LL << 40;

absl::Status CheckChain(int64_t width, const Layers& layers) {
  if (layers.empty()) return absl::InvalidArgumentError("model: it has no layers");
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i]->inputs() != width) {
      return absl::InvalidArgumentError(absl::StrCat(
          "model: layer ", i, " takes ", layers[i]->inputs(), " values, but gets ", width));
    }
    width = layers[i]->outputs();
  }
  return absl::OkStatus();
}

absl::Status CheckVariables(const Layers& layers) {
  std::set<std::string> names;
  for (const auto& layer : layers) {
    for (const VariableSpec& spec : layer->variables()) {
      if (!names.insert(spec.name).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("model: two variables are called \"", spec.name, "\""));
      }
      double elements = 1;
      for (const int64_t n : spec.shape) elements *= static_cast<double>(n);
      if (!(elements >= 1 && elements <= kMaxLayerElements)) {
        return absl::InvalidArgumentError(absl::StrCat("variable \"", spec.name, "\": got ",
                                                       elements, " elements, want 1 to 2^40"));
      }
    }
  }
  return absl::OkStatus();
}

// The model's gradients as a layer numbers them.
class LayerGradients : public GradientSink {
 public:
  LayerGradients(int first, GradientSink& sink) : first_(first), sink_(sink) {}
  std::span<float> Gradient(int variable) override { return sink_.Gradient(first_ + variable); }
  absl::Status Ready(int variable, int64_t begin, int64_t end) override {
    return sink_.Ready(first_ + variable, begin, end);
  }

 private:
  const int first_;
  GradientSink& sink_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LayerStack>> LayerStack::Create(int64_t inputs, Layers layers,
                                                               int first_variable) {
  CONVOY_RETURN_IF_ERROR(CheckVariables(layers));
  CONVOY_RETURN_IF_ERROR(CheckChain(inputs, layers));
  return std::unique_ptr<LayerStack>(new LayerStack(std::move(layers), first_variable));
}

LayerStack::LayerStack(Layers layers, int first_variable)
    : layers_(std::move(layers)), base_(first_variable), outputs_(layers_.size()) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::vector<VariableSpec>& specs = layers_[i]->variables();
    first_variable_.push_back(static_cast<int>(variables_.size()));
    variables_.insert(variables_.end(), specs.begin(), specs.end());
  }
  weights_.resize(variables_.size());
  Freeze({});
}

void LayerStack::Freeze(const std::vector<bool>& variables) {
  frozen_.assign(variables_.size(), 0);
  for (size_t v = 0; v < variables_.size(); ++v) {
    const size_t in_model = static_cast<size_t>(base_) + v;
    frozen_[v] = in_model < variables.size() && variables[in_model] ? 1 : 0;
  }
  first_trained_ = layers_.size();
  for (size_t i = layers_.size(); i-- > 0;) {
    const std::span<const char> frozen = FrozenOf(i);
    if (std::ranges::find(frozen, 0) != frozen.end()) first_trained_ = i;
  }
}

std::span<const char> LayerStack::FrozenOf(size_t layer) const {
  return std::span(frozen_).subspan(static_cast<size_t>(first_variable_[layer]),
                                    layers_[layer]->variables().size());
}

void LayerStack::Reserve(int64_t size) {
  for (size_t i = 0; i < outputs_.size(); ++i) outputs_[i].Reserve(size * layers_[i]->outputs());
}

LayerPass LayerStack::Pass(const Batch& batch, const float* input, size_t layer,
                           bool training) const {
  LayerPass pass;
  pass.batch = &batch;
  pass.training = training;
  pass.input = layer > 0 ? outputs_[layer - 1].data() : input;
  pass.weights =
      std::span(weights_).subspan(first_variable_[layer], layers_[layer]->variables().size());
  pass.frozen = FrozenOf(layer);
  return pass;
}

absl::Status LayerStack::FetchWeights(size_t layer, WeightSource& weights) {
  const int begin = first_variable_[layer];
  const int end = begin + static_cast<int>(layers_[layer]->variables().size());
  for (int v = begin; v < end; ++v) {
    CONVOY_ASSIGN_OR_RETURN(weights_[v], weights.Weights(base_ + v));
    CONVOY_RETURN_IF_ERROR(CheckVariableMemory(variables_[v], weights_[v]));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::span<const float>> LayerStack::Forward(const Batch& batch, const float* input,
                                                           bool training, WeightSource& weights) {
  Reserve(batch.size);
  for (size_t i = 0; i < layers_.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(FetchWeights(i, weights));
    CONVOY_RETURN_IF_ERROR(
        layers_[i]->Forward(Pass(batch, input, i, training), outputs_[i].data()));
  }
  return std::span<const float>(outputs_.back().data(), batch.size * outputs());
}

int64_t LayerStack::Widest() const {
  int64_t widest = 0;
  for (const auto& layer : layers_) widest = std::max(widest, layer->outputs());
  return widest;
}

int64_t LayerStack::activation_bytes() const {
  int64_t floats = 2 * Widest();
  for (const auto& layer : layers_) floats += layer->outputs();
  return floats * static_cast<int64_t>(sizeof(float));
}

std::span<float> LayerStack::OutputGradient(int64_t size) {
  const int64_t widest = Widest();
  for (AlignedBuffer& gradient : gradients_) gradient.Reserve(size * widest);
  return {gradients_[0].data(), static_cast<size_t>(size * outputs())};
}

absl::Status LayerStack::Backward(const Batch& batch, const float* input, float* input_gradient,
                                  GradientSink& gradients) {
  float* above = gradients_[0].data();
  float* below = gradients_[1].data();
  const size_t last = input_gradient != nullptr ? 0 : first_trained_;
  for (size_t i = layers_.size(); i-- > last;) {
    LayerGradients layer_gradients(base_ + first_variable_[i], gradients);
    CONVOY_RETURN_IF_ERROR(
        layers_[i]->Backward(Pass(batch, input, i, /*training=*/true), outputs_[i].data(), above,
                             i == last ? input_gradient : below, layer_gradients));
    std::swap(above, below);
  }
  return absl::OkStatus();
}

}  // namespace convoy
