// The models without hidden layers. All have the variables head/weight [features, outputs] and, if
// `bias`, head/bias [outputs]; all start at zero.
#ifndef CONVOY_WORKER_MODELS_LINEAR_MODELS_H_
#define CONVOY_WORKER_MODELS_LINEAR_MODELS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// Prediction x W + b, squared error.
absl::StatusOr<std::unique_ptr<Model>> MakeLinearRegression(const v1::LinearRegression& config,
                                                            const ModelInput& input);

// P(y = 1 | x) = sigmoid(x W + b), cross-entropy.
absl::StatusOr<std::unique_ptr<Model>> MakeLogisticRegression(const v1::LogisticRegression& config,
                                                              const ModelInput& input);

// P(y | x) = softmax(x W + b), cross-entropy, input.classes classes.
absl::StatusOr<std::unique_ptr<Model>> MakeSoftmaxRegression(const v1::SoftmaxRegression& config,
                                                             const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_LINEAR_MODELS_H_
