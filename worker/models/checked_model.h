// A model class of somebody else's, held to its contract: what it throws, returns or reports
// wrongly becomes an error that names the model and the batch.
#ifndef CONVOY_WORKER_MODELS_CHECKED_MODEL_H_
#define CONVOY_WORKER_MODELS_CHECKED_MODEL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/models/model.h"

namespace convoy {

// Makes the model and wraps it. Every call into it is checked:
// - nothing that it throws leaves the wrapper;
// - it has at least one variable, each with its own name and 1 to 2^40 elements, outputs that fit
//   its task, and metrics with names of their own;
// - its tables have names that no other table or variable has, 1 to 4,096 columns, and ranges with
//   names of their own; the ids that it names of a batch are as many whenever it is asked;
// - after a batch predictions and metrics have their sizes, the loss is a number (unless
//   input.allow_nan_loss), every element of every gradient was reported once, in order, and the
//   gradients of the rows of every table once.
// Internal: it breaks one of these, with `name` and the batch in the message. Errors that it
// returns keep their code; those of the weights and gradients pass as they are.
absl::StatusOr<std::unique_ptr<Model>> MakeCheckedModel(const ModelRegistration& registration,
                                                        const v1::Model& config,
                                                        const ModelInput& input);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_CHECKED_MODEL_H_
