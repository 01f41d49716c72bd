#include "worker/layers/dense.h"

#include <algorithm>
#include <vector>

#include "common/status.h"
#include "worker/layers/matrix.h"

namespace convoy {
namespace {

// fn(begin, count) for consecutive parts of a product with `outputs` columns. Eigen copies a block
// of all the weights that such a product names, for wide layers more than all the rest of a batch:
// a part has 3 to 6 MB of it. Parts end at a multiple of 24, the columns of Eigen's widest kernel,
// so that a column has the same kernel, and the bits, that it has in one product.
template <typename Fn>
void ForEachPart(int64_t outputs, Fn fn) {
  constexpr int64_t kPart = 24 * 128;
  int64_t begin = 0;
  for (; outputs - begin >= 2 * kPart; begin += kPart) fn(begin, kPart);
  fn(begin, outputs - begin);
}

std::vector<VariableSpec> DenseVariables(const Dense::Options& options) {
  std::vector<VariableSpec> specs;
  specs.push_back(
      {options.name + "/weight", {options.inputs, options.outputs}, options.initializer});
  if (options.bias) {
    specs.push_back({options.name + "/bias", {options.outputs}, Initializer::Zeros()});
  }
  return specs;
}

void FillRows(std::span<const float> bias, int64_t rows, int64_t columns, float* output) {
  if (bias.empty()) {
    std::fill_n(output, rows * columns, 0.0f);
    return;
  }
  for (int64_t row = 0; row < rows; ++row) {
    std::copy_n(bias.data(), columns, output + row * columns);
  }
}

}  // namespace

void SumColumns(const float* matrix, int64_t rows, int64_t columns, float* sums) {
  std::fill_n(sums, columns, 0.0f);
  for (int64_t row = 0; row < rows; ++row) {
    const float* values = matrix + row * columns;
    for (int64_t column = 0; column < columns; ++column) sums[column] += values[column];
  }
}

Dense::Dense(const Options& options)
    : Layer(options.inputs, {1, 1, options.outputs}, DenseVariables(options)),
      bias_(options.bias) {}

absl::Status Dense::Forward(const LayerPass& pass, float* output) {
  const float* weight = pass.weights[0].data();
  FillRows(bias_ ? pass.weights[1] : std::span<const float>(), pass.size(), outputs(), output);
  if (pass.input == nullptr) {
    SparseProduct::AddTimes(*pass.batch, weight, outputs(), output);
  } else {
    const ConstMatrixView weights(weight, inputs(), outputs());
    MatrixView result(output, pass.size(), outputs());
    ForEachPart(outputs(), [&](int64_t begin, int64_t columns) {
      result.middleCols(begin, columns).noalias() +=
          ConstMatrixView(pass.input, pass.size(), inputs()) * weights.middleCols(begin, columns);
    });
  }
  return absl::OkStatus();
}

absl::Status Dense::Backward(const LayerPass& pass, const float* /*output*/,
                             const float* output_gradient, float* input_gradient,
                             GradientSink& gradients) {
  if (input_gradient != nullptr) {
    const ConstMatrixView weights(pass.weights[0].data(), inputs(), outputs());
    MatrixView result(input_gradient, pass.size(), inputs());
    ForEachPart(inputs(), [&](int64_t begin, int64_t columns) {
      result.middleCols(begin, columns).noalias() =
          ConstMatrixView(output_gradient, pass.size(), outputs()) *
          weights.middleRows(begin, columns).transpose();
    });
  }
  if (bias_ && pass.wants(1)) {
    CONVOY_RETURN_IF_ERROR(BiasGradient(pass.size(), output_gradient, gradients));
  }
  return pass.wants(0) ? WeightGradient(pass, output_gradient, gradients) : absl::OkStatus();
}

absl::Status Dense::BiasGradient(int64_t size, const float* output_gradient,
                                 GradientSink& gradients) {
  SumColumns(output_gradient, size, outputs(), gradients.Gradient(1).data());
  return gradients.Ready(1, 0, outputs());
}

absl::Status Dense::WeightGradient(const LayerPass& pass, const float* output_gradient,
                                   GradientSink& gradients) {
  float* gradient = gradients.Gradient(0).data();
  const int64_t piece_rows = PieceRows(outputs());
  if (pass.input == nullptr) sparse_.Sort(*pass.batch, inputs(), piece_rows);
  for (int64_t begin = 0; begin < inputs(); begin += piece_rows) {
    const int64_t rows = std::min(piece_rows, inputs() - begin);
    float* piece = gradient + begin * outputs();
    if (pass.input == nullptr) {
      sparse_.TransposedTimes(begin / piece_rows, rows, output_gradient, outputs(), piece);
    } else {
      MatrixView(piece, rows, outputs()).noalias() =
          ConstMatrixView(pass.input, pass.size(), inputs()).middleCols(begin, rows).transpose() *
          ConstMatrixView(output_gradient, pass.size(), outputs());
    }
    CONVOY_RETURN_IF_ERROR(gradients.Ready(0, begin * outputs(), (begin + rows) * outputs()));
  }
  return absl::OkStatus();
}

}  // namespace convoy
