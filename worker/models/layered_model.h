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
  const std::vector<VariableSpec>& variables() const override { return variables_; }
  absl::Status CheckLabel(float label, float* mapped) const override;
  // InvalidArgument: the batch does not fit the model. Errors of `weights` and `gradients` are
  // passed on.
  absl::StatusOr<BatchOutput> Train(const Batch& batch, WeightSource& weights,
                                    GradientSink& gradients) override;
  absl::StatusOr<BatchOutput> Evaluate(const Batch& batch, WeightSource& weights) override;
  bool weighs_examples() const override { return true; }

 private:
  explicit LayeredModel(Options options);

  void Reserve(int64_t size);
  LayerPass Pass(const Batch& batch, size_t layer, bool training) const;
  absl::Status FetchWeights(size_t layer, WeightSource& weights);
  absl::Status Forward(const Batch& batch, bool training, WeightSource& weights);
  absl::StatusOr<BatchOutput> Output(const Batch& batch, std::span<float> score_gradient);
  absl::Status Backward(const Batch& batch, GradientSink& gradients);

  const Options options_;
  const std::unique_ptr<const Loss> loss_;
  std::vector<VariableSpec> variables_;
  std::vector<int> first_variable_;              // of each layer, in variables_
  size_t first_trained_ = 0;                     // the first layer that has variables
  std::vector<std::span<const float>> weights_;  // of the batch, by variable
  std::vector<AlignedBuffer> outputs_;           // of each layer
  AlignedBuffer gradients_[2];                   // with respect to a layer's output and input
  AlignedBuffer predictions_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_LAYERED_MODEL_H_
