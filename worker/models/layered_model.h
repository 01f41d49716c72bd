// A model that is a list of layers and a loss.
#ifndef CONVOY_WORKER_MODELS_LAYERED_MODEL_H_
#define CONVOY_WORKER_MODELS_LAYERED_MODEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/layers/layer.h"
#include "worker/layers/loss.h"
#include "worker/models/layer_stack.h"
#include "worker/models/model.h"

namespace convoy {

// Forward asks for a layer's weights right before it needs them; backward runs from the last layer
// to the first one that has variables, and reports each gradient as soon as it is computed. So the
// weights of late layers may still be on their way while early ones are computed, and gradients of
// late layers leave first. Memory is allocated when a batch is larger than any before, and else
// not.
class LayeredModel : public Model {
 public:
  struct Options {
    Task task = Task::kMulticlass;
    int64_t features = 0;  // of an example
    bool sparse = false;
    int64_t classes = 0;  // kMulticlass: >= 2
    // From the input to the output; the last one gives the scores of the loss that `task` has:
    // squared error, sigmoid or softmax cross-entropy.
    std::vector<std::unique_ptr<Layer>> layers;
  };

  // InvalidArgument: no layers or no features, layers that do not fit each other, the data or the
  // task; a variable that occurs twice or has more than 2^40 elements.
  static absl::StatusOr<std::unique_ptr<Model>> Create(Options options);

  Task task() const override { return options_.task; }
  int64_t outputs() const override { return loss_->outputs(); }
  const std::vector<VariableSpec>& variables() const override { return layers_->variables(); }
  absl::Status CheckLabel(float label, float* mapped) const override;
  // InvalidArgument: the batch does not fit the model. Errors of `weights` and `gradients` are
  // passed on.
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override;
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override;
  bool weighs_examples() const override { return true; }
  int64_t activation_bytes() const override { return layers_->activation_bytes(); }
  void Freeze(const FrozenParts& frozen) override { layers_->Freeze(frozen.variables); }

 private:
  LayeredModel(Options options, std::unique_ptr<LayerStack> layers);

  absl::StatusOr<BatchOutput> Output(const Batch& batch, std::span<const float> scores,
                                     std::span<float> score_gradient);

  const Options options_;  // its layers are in layers_
  const std::unique_ptr<LayerStack> layers_;
  const std::unique_ptr<const Loss> loss_;
  AlignedBuffer predictions_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_LAYERED_MODEL_H_
