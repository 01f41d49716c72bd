#include "worker/models/task_loss.h"

namespace convoy {

std::unique_ptr<const Loss> MakeTaskLoss(Model::Task task, int64_t classes) {
  switch (task) {
    case Model::Task::kRegression:
      return std::make_unique<SquaredError>();
    case Model::Task::kBinary:
      return std::make_unique<SigmoidCrossEntropy>();
    case Model::Task::kMulticlass:
      break;
  }
  return std::make_unique<SoftmaxCrossEntropy>(classes);
}

}  // namespace convoy
