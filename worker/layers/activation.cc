#include "worker/layers/activation.h"

#include <numbers>
#include <unsupported/Eigen/SpecialFunctions>

#include "worker/layers/matrix.h"

namespace convoy {
namespace {

constexpr float kInverseSqrt2 = 1 / std::numbers::sqrt2_v<float>;
constexpr float kInverseSqrt2Pi = kInverseSqrt2 * std::numbers::inv_sqrtpi_v<float>;

}  // namespace

Relu::Relu(ExampleShape shape) : Layer(ShapeSize(shape), shape, {}) {}

absl::Status Relu::Forward(const LayerPass& pass, float* output) {
  const int64_t n = pass.size() * outputs();
  for (int64_t i = 0; i < n; ++i) output[i] = pass.input[i] < 0 ? 0 : pass.input[i];
  return absl::OkStatus();
}

absl::Status Relu::Backward(const LayerPass& pass, const float* output,
                            const float* output_gradient, float* input_gradient,
                            GradientSink& /*gradients*/) {
  if (input_gradient == nullptr) return absl::OkStatus();
  const int64_t n = pass.size() * outputs();
  for (int64_t i = 0; i < n; ++i) input_gradient[i] = output[i] > 0 ? output_gradient[i] : 0;
  return absl::OkStatus();
}

Tanh::Tanh(ExampleShape shape) : Layer(ShapeSize(shape), shape, {}) {}

absl::Status Tanh::Forward(const LayerPass& pass, float* output) {
  const int64_t n = pass.size() * outputs();
  ArrayView(output, n) = ConstArrayView(pass.input, n).tanh();
  return absl::OkStatus();
}

absl::Status Tanh::Backward(const LayerPass& pass, const float* output,
                            const float* output_gradient, float* input_gradient,
                            GradientSink& /*gradients*/) {
  if (input_gradient == nullptr) return absl::OkStatus();
  const int64_t n = pass.size() * outputs();
  for (int64_t i = 0; i < n; ++i) {
    input_gradient[i] = output_gradient[i] * (1 - output[i] * output[i]);
  }
  return absl::OkStatus();
}

Gelu::Gelu(ExampleShape shape) : Layer(ShapeSize(shape), shape, {}) {}

absl::Status Gelu::Forward(const LayerPass& pass, float* output) {
  const int64_t n = pass.size() * outputs();
  const ConstArrayView x(pass.input, n);
  ArrayView(output, n) = 0.5f * x * (1 + (x * kInverseSqrt2).erf());
  return absl::OkStatus();
}

absl::Status Gelu::Backward(const LayerPass& pass, const float* /*output*/,
                            const float* output_gradient, float* input_gradient,
                            GradientSink& /*gradients*/) {
  if (input_gradient == nullptr) return absl::OkStatus();
  const int64_t n = pass.size() * outputs();
  const ConstArrayView x(pass.input, n);
  ArrayView(input_gradient, n) =
      ConstArrayView(output_gradient, n) *
      (0.5f * (1 + (x * kInverseSqrt2).erf()) + kInverseSqrt2Pi * x * (-0.5f * x * x).exp());
  return absl::OkStatus();
}

}  // namespace convoy
