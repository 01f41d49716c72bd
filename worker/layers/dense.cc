#include "worker/layers/dense.h"

#include <algorithm>
#include <vector>

#include "common/status.h"
#include "worker/layers/matrix.h"

namespace convoy {
namespace {

// A product copies the weights that it works on, up to 264 rows of all its columns: 3 MB of these.
// A multiple of 24, the columns of Eigen's widest kernel, so that each column is summed up as in
// one product of all.
constexpr int64_t kColumnsAtOnce = 24 * 128;

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
    for (int64_t begin = 0; begin < outputs(); begin += kColumnsAtOnce) {
      const int64_t columns = std::min(kColumnsAtOnce, outputs() - begin);
      result.middleCols(begin, columns).noalias() +=
          ConstMatrixView(pass.input, pass.size(), inputs()) * weights.middleCols(begin, columns);
    }
  }
  return absl::OkStatus();
}

absl::Status Dense::Backward(const LayerPass& pass, const float* /*output*/,
                             const float* output_gradient, float* input_gradient,
                             GradientSink& gradients) {
  if (input_gradient != nullptr) {
    MatrixView(input_gradient, pass.size(), inputs()).noalias() =
        ConstMatrixView(output_gradient, pass.size(), outputs()) *
        ConstMatrixView(pass.weights[0].data(), inputs(), outputs()).transpose();
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
