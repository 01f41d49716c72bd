// A 3x3 convolution of images.
#ifndef CONVOY_WORKER_LAYERS_CONV2D_H_
#define CONVOY_WORKER_LAYERS_CONV2D_H_

#include <cstdint>
#include <string>

#include "common/aligned_buffer.h"
#include "worker/layers/layer.h"

namespace convoy {

// 3x3 convolution, stride 1, zeros around the image, so that height and width stay. Variables:
// NAME/weight [3, 3, input channels, output channels] and NAME/bias [output channels].
//
// Images are turned into patches (im2col.h) a few at a time, so that these stay in the cache; how
// many is a function of the shape, and the weight's gradient is summed over them in order.
class Conv2d : public Layer {
 public:
  struct Options {
    std::string name;  // e.g. "conv1"
    ExampleShape input;
    int64_t channels = 0;     // of the output, >= 1
    Initializer initializer;  // of the weight; the bias starts at zero
  };

  explicit Conv2d(const Options& options);

  absl::Status Forward(const LayerPass& pass, float* output) override;
  absl::Status Backward(const LayerPass& pass, const float* output, const float* output_gradient,
                        float* input_gradient, GradientSink& gradients) override;

 private:
  int64_t pixels() const { return input_shape_.height * input_shape_.width; }
  int64_t patch_size() const { return 9 * input_shape_.channels; }
  // Fills patches_ with those of images [begin, begin + count) and returns it.
  const float* Patches(const float* images, int64_t begin, int64_t count);
  void InputGradient(const LayerPass& pass, const float* output_gradient, float* input_gradient);
  absl::Status WeightGradient(const LayerPass& pass, const float* output_gradient,
                              GradientSink& gradients);

  const ExampleShape input_shape_;
  const int64_t group_;    // images that are turned into patches at a time
  AlignedBuffer patches_;  // row-major [group_ * pixels(), patch_size()]
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_CONV2D_H_
