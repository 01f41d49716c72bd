// The loss that belongs to a task.
#ifndef CONVOY_WORKER_MODELS_TASK_LOSS_H_
#define CONVOY_WORKER_MODELS_TASK_LOSS_H_

#include <cstdint>
#include <memory>

#include "worker/layers/loss.h"
#include "worker/models/model.h"

namespace convoy {

// Regression: squared error; binary: sigmoid cross-entropy; multiclass: softmax cross-entropy of
// `classes` classes.
std::unique_ptr<const Loss> MakeTaskLoss(Model::Task task, int64_t classes);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TASK_LOSS_H_
