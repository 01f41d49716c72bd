// Dropout. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
// JMLR 2014; inverted, so that nothing is scaled outside training.
#ifndef CONVOY_WORKER_LAYERS_DROPOUT_H_
#define CONVOY_WORKER_LAYERS_DROPOUT_H_

#include <cstdint>
#include <string>

#include "common/aligned_buffer.h"
#include "worker/layers/layer.h"

namespace convoy {

// In training each value is dropped with probability `rate`, else multiplied by 1 / (1 - rate).
// What is dropped is a function of (seed, name, epoch, number of the example, position in it): it
// does not depend on the slice or the process that computes the example.
class Dropout : public Layer {
 public:
  struct Options {
    std::string name;  // e.g. "layer1/dropout"
    ExampleShape shape;
    double rate = 0;    // in [0, 1)
    uint64_t seed = 1;  // of the job
  };

  explicit Dropout(const Options& options);

  // InvalidArgument: a training batch without example numbers.
  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;

 private:
  void DrawFactors(const Batch& batch);

  const Options options_;
  AlignedBuffer factors_;  // of each value: 0 or 1 / (1 - rate)
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_DROPOUT_H_
