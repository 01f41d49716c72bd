// Ratings of items by users.
#ifndef CONVOY_WORKER_MODELS_TABLES_MATRIX_FACTORIZATION_H_
#define CONVOY_WORKER_MODELS_TABLES_MATRIX_FACTORIZATION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// Y. Koren, R. Bell, C. Volinsky, "Matrix Factorization Techniques for Recommender Systems",
// Computer 42(8), 2009, eq. 4: rating = b + b_u + b_i + p_u . q_i; squared error. Penalties are
// settings of the optimizer. Each example has two places, the user's and then the item's (fields 0
// and 1, if there are fields); their feature values are not read. Variable "bias" starts at
// config.mean(); tables "user" and "item" with the ranges "bias" (1 column, zeros) and "factors"
// (normal). InvalidArgument: the data are dense, or a setting out of its range.
absl::StatusOr<std::unique_ptr<Model>> MakeMatrixFactorization(
    const v1::MatrixFactorization& config, const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_MATRIX_FACTORIZATION_H_
