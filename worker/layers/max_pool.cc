#include "worker/layers/max_pool.h"

#include <algorithm>

namespace convoy {

MaxPool2x2::MaxPool2x2(ExampleShape input)
    : Layer(ShapeSize(input), {input.height / 2, input.width / 2, input.channels}, {}),
      input_shape_(input) {}

namespace {

// Calls visit(o, i) for each output position o and the input position i of its square's first
// value, channel by channel innermost.
template <typename Visit>
void ForEachSquareRow(const ExampleShape& input, const ExampleShape& output, int64_t images,
                      Visit visit) {
  const int64_t row = input.width * input.channels;
  int64_t o = 0;
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t y = 0; y < output.height; ++y) {
      for (int64_t x = 0; x < output.width; ++x, o += output.channels) {
        visit(o, (image * input.height + 2 * y) * row + 2 * x * input.channels);
      }
    }
  }
}

}  // namespace

absl::Status MaxPool2x2::Forward(const LayerPass& pass, float* output) {
  const int64_t channels = input_shape_.channels;
  const int64_t row = input_shape_.width * channels;
  largest_.resize(pass.size() * outputs());
  ForEachSquareRow(input_shape_, output_shape(), pass.size(), [&](int64_t o, int64_t i) {
    const float* top = pass.input + i;
    const float* bottom = top + row;
    for (int64_t c = 0; c < channels; ++c) {
      float best = top[c];
      uint8_t which = 0;
      const auto consider = [&](float value, uint8_t number) {
        which = value > best ? number : which;
        best = value > best ? value : best;
      };
      consider(top[c + channels], 1);
      consider(bottom[c], 2);
      consider(bottom[c + channels], 3);
      output[o + c] = best;
      largest_[o + c] = which;
    }
  });
  return absl::OkStatus();
}

absl::Status MaxPool2x2::Backward(const LayerPass& pass, const float* /*output*/,
                                  const float* output_gradient, float* input_gradient,
                                  GradientSink& /*gradients*/) {
  if (input_gradient == nullptr) return absl::OkStatus();
  const int64_t channels = input_shape_.channels;
  const int64_t offsets[4] = {0, channels, input_shape_.width * channels,
                              (input_shape_.width + 1) * channels};
  std::fill_n(input_gradient, pass.size() * inputs(), 0.0f);
  ForEachSquareRow(input_shape_, output_shape(), pass.size(), [&](int64_t o, int64_t i) {
    for (int64_t c = 0; c < channels; ++c) {
      input_gradient[i + c + offsets[largest_[o + c]]] = output_gradient[o + c];
    }
  });
  return absl::OkStatus();
}

}  // namespace convoy
