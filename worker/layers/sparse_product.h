// Products of a batch of compressed rows, X [size, features], with dense matrices.
#ifndef CONVOY_WORKER_LAYERS_SPARSE_PRODUCT_H_
#define CONVOY_WORKER_LAYERS_SPARSE_PRODUCT_H_

#include <cstdint>
#include <vector>

#include "worker/data/batch.h"

namespace convoy {

class SparseProduct {
 public:
  // output += X matrix, with row-major `matrix` [features, columns], `output` [size, columns];
  // the entries of a row of X in their order.
  static void AddTimes(const Batch& batch, const float* matrix, int64_t columns, float* output);

  // Prepares TransposedTimes: sorts the entries of X by piece, where piece p is the features
  // [p * piece_features, (p + 1) * piece_features). Entries of a piece keep their order.
  void Sort(const Batch& batch, int64_t features, int64_t piece_features);

  // output = the rows of X^T matrix that belong to the piece, with row-major `matrix`
  // [size, columns], `output` [features_of_piece, columns]; examples are added up in their order.
  void TransposedTimes(int64_t piece, int64_t features_of_piece, const float* matrix,
                       int64_t columns, float* output) const;

 private:
  struct Entry {
    int64_t example;
    int64_t feature;  // within its piece
    float value;
  };
  std::vector<int64_t> piece_ends_;  // of each piece in entries_
  std::vector<Entry> entries_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_SPARSE_PRODUCT_H_
