#include "worker/layers/conv2d.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/status.h"
#include "worker/layers/dense.h"
#include "worker/layers/im2col.h"
#include "worker/layers/matrix.h"

namespace convoy {
namespace {

constexpr int64_t kPatchValues = 32768;  // 128 KiB, a quarter of a usual second-level cache

std::vector<VariableSpec> ConvVariables(const Conv2d::Options& options) {
  const int64_t inputs = options.input.channels;
  return {{options.name + "/weight", {3, 3, inputs, options.channels}, options.initializer},
          {options.name + "/bias", {options.channels}, Initializer::Zeros()}};
}

}  // namespace

Conv2d::Conv2d(const Options& options)
    : Layer(ShapeSize(options.input), {options.input.height, options.input.width, options.channels},
            ConvVariables(options)),
      input_shape_(options.input),
      group_(std::max<int64_t>(1, kPatchValues / (pixels() * patch_size()))) {}

const float* Conv2d::Patches(const float* images, int64_t begin, int64_t count) {
  const int64_t patches = pixels() * patch_size();
  patches_.Reserve(group_ * patches);
  for (int64_t i = 0; i < count; ++i) {
    ImageToPatches(images + (begin + i) * inputs(), input_shape_, patches_.data() + i * patches);
  }
  return patches_.data();
}

absl::Status Conv2d::Forward(const LayerPass& pass, float* output) {
  const int64_t channels = output_shape().channels;
  const ConstMatrixView weight(pass.weights[0].data(), patch_size(), channels);
  const Eigen::Map<const Eigen::RowVectorXf> bias(pass.weights[1].data(), channels);
  for (int64_t begin = 0; begin < pass.size(); begin += group_) {
    const int64_t count = std::min(group_, pass.size() - begin);
    const ConstMatrixView patches(Patches(pass.input, begin, count), count * pixels(),
                                  patch_size());
    MatrixView result(output + begin * outputs(), count * pixels(), channels);
    result.noalias() = patches * weight;
    result.rowwise() += bias;
  }
  return absl::OkStatus();
}

absl::Status Conv2d::Backward(const LayerPass& pass, const float* /*output*/,
                              const float* output_gradient, float* input_gradient,
                              GradientSink& gradients) {
  if (input_gradient != nullptr) InputGradient(pass, output_gradient, input_gradient);
  if (pass.wants(1)) {
    const int64_t channels = output_shape().channels;
    SumColumns(output_gradient, pass.size() * pixels(), channels, gradients.Gradient(1).data());
    CONVOY_RETURN_IF_ERROR(gradients.Ready(1, 0, channels));
  }
  return pass.wants(0) ? WeightGradient(pass, output_gradient, gradients) : absl::OkStatus();
}

void Conv2d::InputGradient(const LayerPass& pass, const float* output_gradient,
                           float* input_gradient) {
  const int64_t channels = output_shape().channels;
  const ConstMatrixView weight(pass.weights[0].data(), patch_size(), channels);
  std::fill_n(input_gradient, pass.size() * inputs(), 0.0f);
  for (int64_t begin = 0; begin < pass.size(); begin += group_) {
    const int64_t count = std::min(group_, pass.size() - begin);
    MatrixView patches(patches_.data(), count * pixels(), patch_size());
    patches.noalias() =
        ConstMatrixView(output_gradient + begin * outputs(), count * pixels(), channels) *
        weight.transpose();
    for (int64_t i = 0; i < count; ++i) {
      AddPatchesToImage(patches.data() + i * pixels() * patch_size(), input_shape_,
                        input_gradient + (begin + i) * inputs());
    }
  }
}

absl::Status Conv2d::WeightGradient(const LayerPass& pass, const float* output_gradient,
                                    GradientSink& gradients) {
  const int64_t channels = output_shape().channels;
  MatrixView gradient(gradients.Gradient(0).data(), patch_size(), channels);
  gradient.setZero();
  for (int64_t begin = 0; begin < pass.size(); begin += group_) {
    const int64_t count = std::min(group_, pass.size() - begin);
    const ConstMatrixView patches(Patches(pass.input, begin, count), count * pixels(),
                                  patch_size());
    gradient.noalias() += patches.transpose() * ConstMatrixView(output_gradient + begin * outputs(),
                                                                count * pixels(), channels);
  }
  return gradients.Ready(0, 0, patch_size() * channels);
}

}  // namespace convoy
