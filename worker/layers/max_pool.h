// 2x2 max pooling.
#ifndef CONVOY_WORKER_LAYERS_MAX_POOL_H_
#define CONVOY_WORKER_LAYERS_MAX_POOL_H_

#include <cstdint>
#include <vector>

#include "worker/layers/layer.h"

namespace convoy {

// The largest value of each 2x2 square of each channel; squares do not overlap, an odd last row or
// column is left out. Of equal values the first, row by row, gets the gradient.
class MaxPool2x2 : public Layer {
 public:
  // `input`: height and width >= 2.
  explicit MaxPool2x2(ExampleShape input);

  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;

 private:
  const ExampleShape input_shape_;
  std::vector<uint8_t> largest_;  // of each output: which of the square's four values, 0..3
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_MAX_POOL_H_
