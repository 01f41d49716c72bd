// Layers, one after the other: their weights, the way forward and the way back.
#ifndef CONVOY_WORKER_MODELS_LAYER_STACK_H_
#define CONVOY_WORKER_MODELS_LAYER_STACK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "worker/layers/layer.h"

namespace convoy {

// Forward asks for a layer's weights right before it needs them; Backward runs from the last layer
// to the first one whose gradient is wanted, and reports each gradient as soon as it is computed.
// Memory is allocated when a batch is larger than any before, and else not.
class LayerStack {
 public:
  // Of layers that take `inputs` values. `first_variable`: the number that the model gives to the
  // first of variables(). InvalidArgument: no layers, or layers that do not fit each other; a
  // variable that occurs twice or has more than 2^40 elements.
  static absl::StatusOr<std::unique_ptr<LayerStack>> Create(
      int64_t inputs, std::vector<std::unique_ptr<Layer>> layers, int first_variable = 0);

  int64_t inputs() const { return layers_.front()->inputs(); }
  int64_t outputs() const { return layers_.back()->outputs(); }
  // Of an example: all outputs, and two gradients as wide as the widest of them.
  int64_t activation_bytes() const;
  bool accepts_sparse() const { return layers_.front()->accepts_sparse(); }
  // Of all layers, in their order.
  const std::vector<VariableSpec>& variables() const { return variables_; }

  // By number of the variable in the model: Backward does not report the gradients of these, and
  // does not go below the last layer that has none but these under it.
  void Freeze(const std::vector<bool>& variables);

  // `input`: row-major [batch.size, inputs()], 64-byte aligned, or null for the compressed rows of
  // `batch`. Returns the last layer's output, row-major [batch.size, outputs()], valid until the
  // next call.
  absl::StatusOr<std::span<const float>> Forward(const Batch& batch, const float* input,
                                                 bool training, WeightSource& weights);

  // Memory [size, outputs()] for the gradient of the output of a batch of that size; 64-byte
  // aligned.
  std::span<float> OutputGradient(int64_t size);
  // Follows a Forward of the same training batch, once OutputGradient is filled; that is
  // overwritten. Writes the gradient with respect to the input to `input_gradient` [batch.size,
  // inputs()] unless that is null.
  absl::Status Backward(const Batch& batch, const float* input, float* input_gradient,
                        GradientSink& gradients);

 private:
  LayerStack(std::vector<std::unique_ptr<Layer>> layers, int first_variable);

  void Reserve(int64_t size);
  int64_t Widest() const;
  LayerPass Pass(const Batch& batch, const float* input, size_t layer, bool training) const;
  std::span<const char> FrozenOf(size_t layer) const;
  absl::Status FetchWeights(size_t layer, WeightSource& weights);

  const std::vector<std::unique_ptr<Layer>> layers_;
  const int base_;
  std::vector<VariableSpec> variables_;
  std::vector<int> first_variable_;              // of each layer, in variables_
  std::vector<char> frozen_;                     // by variable
  size_t first_trained_ = 0;                     // the first layer with a variable that is not
  std::vector<std::span<const float>> weights_;  // of the batch, by variable
  std::vector<AlignedBuffer> outputs_;           // of each layer
  AlignedBuffer gradients_[2];                   // with respect to a layer's output and input
};

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_LAYER_STACK_H_
