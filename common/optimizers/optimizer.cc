#include "common/optimizers/optimizer.h"

#include "absl/strings/str_cat.h"
#include "common/optimizers/adagrad.h"
#include "common/optimizers/adam.h"
#include "common/optimizers/ftrl.h"
#include "common/optimizers/momentum.h"
#include "common/optimizers/parameter_check.h"
#include "common/optimizers/rmsprop.h"
#include "common/optimizers/sgd.h"
#include "common/status.h"

namespace convoy {

absl::Status CheckCommonSettings(const OptimizerSettings& settings) {
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.learning_rate", settings.learning_rate));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.l1", settings.l1));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.l2", settings.l2));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.clip_value", settings.clip_value));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.adamw.weight_decay", settings.weight_decay));
  if (settings.weight_decay != 0 && !settings.config.has_adamw()) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer.override.weight_decay: got ", settings.weight_decay,
                     " with an optimizer other than adamw; use adamw, or l2 instead"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const OptimizerSettings& settings) {
  CONVOY_RETURN_IF_ERROR(CheckCommonSettings(settings));
  switch (settings.config.algorithm_case()) {
    case v1::Optimizer::kSgd:
    case v1::Optimizer::ALGORITHM_NOT_SET:
      return MakeSgd(settings);
    case v1::Optimizer::kMomentum:
      return MakeMomentum(settings);
    case v1::Optimizer::kNesterov:
      return MakeNesterov(settings);
    case v1::Optimizer::kAdagrad:
      return MakeAdagrad(settings);
    case v1::Optimizer::kRmsprop:
      return MakeRmsProp(settings);
    case v1::Optimizer::kAdam:
      return MakeAdam(settings);
    case v1::Optimizer::kAdamw:
      return MakeAdamW(settings);
    case v1::Optimizer::kFtrl:
      return MakeFtrl(settings);
    case v1::Optimizer::kRowwiseAdagrad:
      return absl::InvalidArgumentError(absl::StrCat(
          "optimizer.rowwise_adagrad: is for embedding tables, but \"", settings.name,
          "\" is a dense variable; use adagrad for it, in optimizer or in an optimizer.override"));
  }
  return absl::InternalError("optimizer: unknown algorithm");
}

}  // namespace convoy
