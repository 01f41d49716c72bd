// DeepFM: a factorization machine and fully connected layers over the same rows.
#ifndef CONVOY_WORKER_MODELS_TABLES_DEEP_FM_H_
#define CONVOY_WORKER_MODELS_TABLES_DEEP_FM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// H. Guo et al., "DeepFM: A Factorization-Machine based Neural Network for CTR Prediction", IJCAI
// 2017. The score is that of factor_terms.h plus that of deep_part.h over the factors; b is
// head/bias. Table of FactorTable, variables of DeepPart. InvalidArgument: the data are dense, or a
// setting out of its range.
absl::StatusOr<std::unique_ptr<Model>> MakeDeepFm(const v1::DeepFm& config,
                                                  const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_DEEP_FM_H_
