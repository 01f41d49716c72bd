// Wide & deep: a linear model and fully connected layers, each over rows of its own.
#ifndef CONVOY_WORKER_MODELS_TABLES_WIDE_AND_DEEP_H_
#define CONVOY_WORKER_MODELS_TABLES_WIDE_AND_DEEP_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/models/model.h"

namespace convoy {

// H.-T. Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016, eq. 3. Table
// "wide" with the range "weight" (1 column, zeros), table "deep" with the range "embedding" (`dim`
// columns, normal); both are read at every place. Variables of DeepPart; b is head/bias. Crossed
// features are a matter of the data. InvalidArgument: the data are dense, or a setting out of its
// range.
absl::StatusOr<std::unique_ptr<Model>> MakeWideAndDeep(const v1::WideAndDeep& config,
                                                       const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_WIDE_AND_DEEP_H_
