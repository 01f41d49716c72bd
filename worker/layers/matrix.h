// Row-major views of float32 memory as Eigen sees it. For .cc files: public headers do not include
// Eigen. The memory is 64-byte aligned everywhere, so that results do not depend on where it lies;
// the views do not require it, so that memory which is not can't crash.
#ifndef CONVOY_WORKER_LAYERS_MATRIX_H_
#define CONVOY_WORKER_LAYERS_MATRIX_H_

#include <Eigen/Core>

namespace convoy {

using RowMajorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixView = Eigen::Map<RowMajorMatrix>;
using ConstMatrixView = Eigen::Map<const RowMajorMatrix>;
using ArrayView = Eigen::Map<Eigen::ArrayXf>;
using ConstArrayView = Eigen::Map<const Eigen::ArrayXf>;

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_MATRIX_H_
