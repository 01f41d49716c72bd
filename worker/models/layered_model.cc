#include "worker/models/layered_model.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/models/batch_check.h"
#include "worker/models/task_loss.h"

namespace convoy {
namespace {

constexpr double kMaxElements = 1LL << 40;

absl::Status CheckChain(const LayeredModel::Options& options) {
  if (options.layers.empty()) return absl::InvalidArgumentError("model: it has no layers");
  if (options.sparse && !options.layers[0]->accepts_sparse()) {
    return absl::InvalidArgumentError("model: its first layer needs dense features, got sparse");
  }
  int64_t width = options.features;
  for (size_t i = 0; i < options.layers.size(); ++i) {
    if (options.layers[i]->inputs() != width) {
      return absl::InvalidArgumentError(absl::StrCat(
          "model: layer ", i, " takes ", options.layers[i]->inputs(), " values, but gets ", width));
    }
    width = options.layers[i]->outputs();
  }
  const int64_t scores = options.task == Model::Task::kMulticlass ? options.classes : 1;
  if (width == scores) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model: the last layer has ", width, " outputs, want ", scores));
}

absl::Status CheckVariables(const LayeredModel::Options& options) {
  std::set<std::string> names;
  for (const auto& layer : options.layers) {
    for (const VariableSpec& spec : layer->variables()) {
      if (!names.insert(spec.name).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("model: two variables are called \"", spec.name, "\""));
      }
      double elements = 1;
      for (const int64_t n : spec.shape) elements *= static_cast<double>(n);
      if (!(elements >= 1 && elements <= kMaxElements)) {
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

absl::StatusOr<std::unique_ptr<Model>> LayeredModel::Create(Options options) {
  if (options.features < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("model: got ", options.features, " features, want at least 1"));
  }
  if (options.task == Task::kMulticlass && options.classes < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("model: got ", options.classes,
                     " classes, want at least 2; check the labels or set model.classes"));
  }
  CONVOY_RETURN_IF_ERROR(CheckVariables(options));
  CONVOY_RETURN_IF_ERROR(CheckChain(options));
  return std::unique_ptr<Model>(new LayeredModel(std::move(options)));
}

LayeredModel::LayeredModel(Options options)
    : options_(std::move(options)),
      loss_(MakeTaskLoss(options_.task, options_.classes)),
      outputs_(options_.layers.size()) {
  first_trained_ = options_.layers.size();
  for (size_t i = 0; i < options_.layers.size(); ++i) {
    const std::vector<VariableSpec>& specs = options_.layers[i]->variables();
    if (!specs.empty()) first_trained_ = std::min(first_trained_, i);
    first_variable_.push_back(static_cast<int>(variables_.size()));
    variables_.insert(variables_.end(), specs.begin(), specs.end());
  }
  weights_.resize(variables_.size());
}

absl::Status LayeredModel::CheckLabel(float label, float* mapped) const {
  return loss_->CheckLabel(label, mapped);
}

absl::StatusOr<BatchOutput> LayeredModel::Train(const Batch& batch, WeightSource& weights,
                                                GradientSink& gradients) {
  CONVOY_RETURN_IF_ERROR(CheckTrainingBatch(batch, options_.features, options_.sparse));
  CONVOY_RETURN_IF_ERROR(Forward(batch, /*training=*/true, weights));
  CONVOY_ASSIGN_OR_RETURN(
      const BatchOutput output,
      Output(batch, {gradients_[0].data(), static_cast<size_t>(batch.size * outputs())}));
  CONVOY_RETURN_IF_ERROR(Backward(batch, gradients));
  return output;
}

absl::StatusOr<BatchOutput> LayeredModel::Evaluate(const Batch& batch, WeightSource& weights) {
  CONVOY_RETURN_IF_ERROR(CheckBatch(batch, options_.features, options_.sparse));
  if (batch.size == 0) return BatchOutput();
  CONVOY_RETURN_IF_ERROR(Forward(batch, /*training=*/false, weights));
  return Output(batch, {});
}

void LayeredModel::Reserve(int64_t size) {
  int64_t widest = 0;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const int64_t width = options_.layers[i]->outputs();
    outputs_[i].Reserve(size * width);
    widest = std::max(widest, width);
  }
  for (AlignedBuffer& gradient : gradients_) gradient.Reserve(size * widest);
  predictions_.Reserve(size * outputs());
}

LayerPass LayeredModel::Pass(const Batch& batch, size_t layer, bool training) const {
  LayerPass pass;
  pass.batch = &batch;
  pass.training = training;
  if (layer > 0) {
    pass.input = outputs_[layer - 1].data();
  } else if (!batch.sparse) {
    pass.input = batch.dense.data();
  }
  pass.weights = std::span(weights_).subspan(first_variable_[layer],
                                             options_.layers[layer]->variables().size());
  return pass;
}

absl::Status LayeredModel::FetchWeights(size_t layer, WeightSource& weights) {
  const int begin = first_variable_[layer];
  const int end = begin + static_cast<int>(options_.layers[layer]->variables().size());
  for (int v = begin; v < end; ++v) {
    CONVOY_ASSIGN_OR_RETURN(weights_[v], weights.Weights(v));
    CONVOY_RETURN_IF_ERROR(CheckVariableMemory(variables_[v], weights_[v]));
  }
  return absl::OkStatus();
}

absl::Status LayeredModel::Forward(const Batch& batch, bool training, WeightSource& weights) {
  Reserve(batch.size);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(FetchWeights(i, weights));
    CONVOY_RETURN_IF_ERROR(
        options_.layers[i]->Forward(Pass(batch, i, training), outputs_[i].data()));
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchOutput> LayeredModel::Output(const Batch& batch,
                                                 std::span<float> score_gradient) {
  const size_t n = batch.size * outputs();
  const std::span<const float> scores(outputs_.back().data(), n);
  const std::span<float> predictions(predictions_.data(), n);
  loss_->Predict(scores, predictions);
  BatchOutput output;
  output.predictions = predictions;
  if (batch.labels.empty()) return output;
  CONVOY_ASSIGN_OR_RETURN(output.loss,
                          loss_->Compute(scores, predictions, batch.labels, batch.weights,
                                         score_gradient));
  return output;
}

absl::Status LayeredModel::Backward(const Batch& batch, GradientSink& gradients) {
  float* output_gradient = gradients_[0].data();
  float* input_gradient = gradients_[1].data();
  for (size_t i = outputs_.size(); i-- > first_trained_;) {
    LayerGradients layer_gradients(first_variable_[i], gradients);
    CONVOY_RETURN_IF_ERROR(options_.layers[i]->Backward(
        Pass(batch, i, /*training=*/true), outputs_[i].data(), output_gradient,
        i == first_trained_ ? nullptr : input_gradient, layer_gradients));
    std::swap(output_gradient, input_gradient);
  }
  return absl::OkStatus();
}

}  // namespace convoy
