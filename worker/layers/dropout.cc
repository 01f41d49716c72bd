#include "worker/layers/dropout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/math/random.h"

namespace convoy {
namespace {

void Multiply(const float* a, const float* b, int64_t n, float* product) {
  for (int64_t i = 0; i < n; ++i) product[i] = a[i] * b[i];
}

}  // namespace

Dropout::Dropout(const Options& options)
    : Layer(ShapeSize(options.shape), options.shape, {}), options_(options) {}

void Dropout::DrawFactors(const Batch& batch) {
  const float rate = static_cast<float>(options_.rate);
  const float kept = static_cast<float>(1 / (1 - options_.rate));
  factors_.Reserve(batch.size * outputs());
  for (int64_t example = 0; example < batch.size; ++example) {
    const RandomStream random(options_.seed, options_.name, batch.epoch, batch.examples[example]);
    random.FillUniform(0, factors_.span().subspan(example * outputs(), outputs()));
  }
  float* factor = factors_.data();
  const int64_t n = batch.size * outputs();
  for (int64_t i = 0; i < n; ++i) factor[i] = factor[i] < rate ? 0 : kept;
}

absl::Status Dropout::Forward(const LayerPass& pass, float* output) {
  const int64_t n = pass.size() * outputs();
  if (!pass.training) {
    std::copy_n(pass.input, n, output);
    return absl::OkStatus();
  }
  if (static_cast<int64_t>(pass.batch->examples.size()) != pass.size()) {
    return absl::InvalidArgumentError(absl::StrCat(options_.name, ": got a batch of ", pass.size(),
                                                   " examples with ", pass.batch->examples.size(),
                                                   " example numbers, want one for each"));
  }
  DrawFactors(*pass.batch);
  Multiply(pass.input, factors_.data(), n, output);
  return absl::OkStatus();
}

absl::Status Dropout::Backward(const LayerPass& pass, const float* /*output*/,
                               const float* output_gradient, float* input_gradient,
                               GradientSink& /*gradients*/) {
  if (input_gradient == nullptr) return absl::OkStatus();
  Multiply(output_gradient, factors_.data(), pass.size() * outputs(), input_gradient);
  return absl::OkStatus();
}

}  // namespace convoy
