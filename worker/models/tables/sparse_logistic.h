// Logistic regression with a weight for every id that occurs.
#ifndef CONVOY_WORKER_MODELS_TABLES_SPARSE_LOGISTIC_H_
#define CONVOY_WORKER_MODELS_TABLES_SPARSE_LOGISTIC_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/models/model.h"

namespace convoy {

// P(y = 1 | x) = sigmoid(b + sum of w x over the places of the example). Variable "bias", table
// "weight" with the range "weight" of 1 column; all start at zero. InvalidArgument: the data are
// dense.
absl::StatusOr<std::unique_ptr<Model>> MakeSparseLogistic(const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_SPARSE_LOGISTIC_H_
