// A fully connected layer.
#ifndef CONVOY_WORKER_LAYERS_DENSE_H_
#define CONVOY_WORKER_LAYERS_DENSE_H_

#include <cstdint>
#include <string>

#include "worker/layers/layer.h"
#include "worker/layers/sparse_product.h"

namespace convoy {

// output = input W + b, with variables NAME/weight [inputs, outputs] and NAME/bias [outputs].
// The input is dense, or compressed rows if it is the first layer. In Backward the bias's gradient
// comes first, then the weight's in pieces of PieceRows(outputs) rows.
class Dense : public Layer {
 public:
  struct Options {
    std::string name;         // e.g. "layer1"
    int64_t inputs = 0;       // >= 1
    int64_t outputs = 0;      // >= 1
    Initializer initializer;  // of the weight; the bias starts at zero
    bool bias = true;
  };

  explicit Dense(const Options& options);

  bool accepts_sparse() const override { return true; }
  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;

 private:
  absl::Status BiasGradient(int64_t size, const float* output_gradient, GradientSink& gradients);
  absl::Status WeightGradient(const LayerPass& pass, const float* output_gradient,
                              GradientSink& gradients);

  const bool bias_;
  SparseProduct sparse_;
};

// Writes the sums of the columns of a row-major [rows, columns] matrix, added up from row 0 on.
void SumColumns(const float* matrix, int64_t rows, int64_t columns, float* sums);

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_DENSE_H_
