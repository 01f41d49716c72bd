#include "worker/layers/sparse_product.h"

#include <algorithm>

namespace convoy {
namespace {

void AddScaledRow(float scale, const float* row, int64_t columns, float* sum) {
  for (int64_t i = 0; i < columns; ++i) sum[i] += scale * row[i];
}

}  // namespace

void SparseProduct::AddTimes(const Batch& batch, const float* matrix, int64_t columns,
                             float* output) {
  for (int64_t example = 0; example < batch.size; ++example) {
    float* sum = output + example * columns;
    for (int64_t k = batch.row_offsets[example]; k < batch.row_offsets[example + 1]; ++k) {
      AddScaledRow(batch.values[k], matrix + batch.columns[k] * columns, columns, sum);
    }
  }
}

void SparseProduct::Sort(const Batch& batch, int64_t features, int64_t piece_features) {
  const int64_t begin = batch.row_offsets.front();
  const int64_t end = batch.row_offsets.back();
  // First the number of entries of each piece, then where each begins; filling moves that to its
  // end.
  piece_ends_.assign((features + piece_features - 1) / piece_features, 0);
  for (int64_t k = begin; k < end; ++k) ++piece_ends_[batch.columns[k] / piece_features];
  int64_t next = 0;
  for (int64_t& piece : piece_ends_) {
    const int64_t count = piece;
    piece = next;
    next += count;
  }
  entries_.resize(next);
  for (int64_t example = 0; example < batch.size; ++example) {
    for (int64_t k = batch.row_offsets[example]; k < batch.row_offsets[example + 1]; ++k) {
      const int64_t piece = batch.columns[k] / piece_features;
      entries_[piece_ends_[piece]++] = {example, batch.columns[k] - piece * piece_features,
                                        batch.values[k]};
    }
  }
}

void SparseProduct::TransposedTimes(int64_t piece, int64_t features_of_piece, const float* matrix,
                                    int64_t columns, float* output) const {
  std::fill_n(output, features_of_piece * columns, 0.0f);
  for (int64_t i = piece == 0 ? 0 : piece_ends_[piece - 1]; i < piece_ends_[piece]; ++i) {
    const Entry& entry = entries_[i];
    AddScaledRow(entry.value, matrix + entry.example * columns, columns,
                 output + entry.feature * columns);
  }
}

}  // namespace convoy
