// Activation functions, value by value.
#ifndef CONVOY_WORKER_LAYERS_ACTIVATION_H_
#define CONVOY_WORKER_LAYERS_ACTIVATION_H_

#include "worker/layers/layer.h"

namespace convoy {

// max(x, 0); its derivative at 0 is 0. A NaN stays one.
class Relu : public Layer {
 public:
  explicit Relu(ExampleShape shape);
  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;
};

// Hyperbolic tangent.
class Tanh : public Layer {
 public:
  explicit Tanh(ExampleShape shape);
  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;
};

// x Phi(x) with Phi the distribution function of the standard normal, by erf and not the tanh
// approximation. Hendrycks & Gimpel, "Gaussian error linear units", 2016.
class Gelu : public Layer {
 public:
  explicit Gelu(ExampleShape shape);
  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_ACTIVATION_H_
