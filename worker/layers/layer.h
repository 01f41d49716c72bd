// A piece of a model: a function of its input and its variables, and the gradients of both.
//
// Exactness: what a layer computes is a function of (weights, batch) alone. It does not depend on
// the batches before, on the process or on time; sums run in an order that is fixed by the shapes.
#ifndef CONVOY_WORKER_LAYERS_LAYER_H_
#define CONVOY_WORKER_LAYERS_LAYER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "common/math/variable.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/layers/weights.h"

namespace convoy {

// Large gradients are computed and reported in pieces of whole rows of at most this many elements
// (256 KiB), so that one travels while the next is computed.
inline constexpr int64_t kGradientPiece = 65536;

// Rows of a piece of a row-major gradient with `columns` columns; at least 1.
int64_t PieceRows(int64_t columns);

// What a layer gets for one batch.
struct LayerPass {
  const Batch* batch = nullptr;  // its size >= 1, example numbers and epoch
  bool training = false;
  // Row-major [batch->size, inputs()], 64-byte aligned. Null: the compressed rows of `batch`.
  const float* input = nullptr;
  // Values of variables(), in their order.
  std::span<const std::span<const float>> weights;
  // By variable: not 0 if no gradient of it is wanted. Empty: all are.
  std::span<const char> frozen;

  int64_t size() const { return batch->size; }
  bool wants(size_t variable) const { return variable >= frozen.size() || frozen[variable] == 0; }
};

// One instance is used by one thread. Its temporaries are kept from batch to batch, as memory only.
class Layer {
 public:
  Layer(int64_t inputs, ExampleShape output_shape, std::vector<VariableSpec> variables);
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Values of one example's input and output.
  int64_t inputs() const { return inputs_; }
  int64_t outputs() const;
  // Images are stored row by row, channels innermost.
  ExampleShape output_shape() const { return output_shape_; }
  const std::vector<VariableSpec>& variables() const { return variables_; }
  // Whether the input may be compressed rows.
  virtual bool accepts_sparse() const { return false; }

  // Writes `output`, row-major [pass.size(), outputs()], 64-byte aligned.
  // InvalidArgument: the batch lacks something that this layer needs.
  virtual absl::Status Forward(const LayerPass& pass, float* output) = 0;

  // Follows Forward of the same training pass. `output` is what that wrote, `output_gradient` the
  // gradient of the loss with respect to it. Writes the gradient with respect to the input to
  // `input_gradient` [pass.size(), inputs()] unless that is null; after that the gradient of each
  // variable that the pass wants, numbered as in variables(), to `gradients`. Weights are not read
  // after the first piece is reported.
  virtual absl::Status Backward(const LayerPass& pass, const float* output,
                                const float* output_gradient, float* input_gradient,
                                GradientSink& gradients) = 0;

 private:
  const int64_t inputs_;
  const ExampleShape output_shape_;
  const std::vector<VariableSpec> variables_;
};

// Number of values of an example of this shape.
int64_t ShapeSize(const ExampleShape& shape);

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_LAYER_H_
