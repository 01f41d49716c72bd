// A model of which some variables or tables are frozen.
#ifndef CONVOY_WORKER_MODELS_PARTLY_FROZEN_MODEL_H_
#define CONVOY_WORKER_MODELS_PARTLY_FROZEN_MODEL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "worker/models/model.h"

namespace convoy {

// `model`, but Train reports no gradients of what `optimizer` freezes, even if the model computes
// them; `model` itself if that is nothing. Gradients of rows of a frozen table are zeros, never
// reported as ready. InvalidArgument: settings of the optimizer.
absl::StatusOr<std::unique_ptr<Model>> WithoutFrozenParts(std::unique_ptr<Model> model,
                                                          const v1::Optimizer& optimizer);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_PARTLY_FROZEN_MODEL_H_
