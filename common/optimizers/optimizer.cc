#include "common/optimizers/optimizer.h"

#include "absl/strings/str_cat.h"
#include "common/optimizers/adagrad.h"
#include "common/optimizers/adam.h"
#include "common/optimizers/anchored.h"
#include "common/optimizers/ftrl.h"
#include "common/optimizers/momentum.h"
#include "common/optimizers/parameter_check.h"
#include "common/optimizers/rmsprop.h"
#include "common/optimizers/sgd.h"
#include "common/status.h"

namespace convoy {
namespace {

// Without optimizer.anchor.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeRule(const OptimizerSettings& settings) {
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

}  // namespace

absl::Status CheckCommonSettings(const OptimizerSettings& settings) {
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.learning_rate", settings.learning_rate));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.l1", settings.l1));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.l2", settings.l2));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.clip_value", settings.clip_value));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.adamw.weight_decay", settings.weight_decay));
  CONVOY_RETURN_IF_ERROR(CheckNotNegative("optimizer.anchor", settings.anchor));
  if (settings.anchor != 0 && settings.config.has_ftrl()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "optimizer.anchor: got ", settings.anchor, " for \"", settings.name,
        "\", whose rule is ftrl: its formula has penalties around 0 only, l1 and l2; use another "
        "rule, or set anchor: 0 for it in an optimizer.override"));
  }
  if (settings.weight_decay != 0 && !settings.config.has_adamw()) {
    return absl::InvalidArgumentError(
        absl::StrCat("optimizer.override.weight_decay: got ", settings.weight_decay,
                     " with an optimizer other than adamw; use adamw, or l2 instead"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const OptimizerSettings& settings) {
  CONVOY_RETURN_IF_ERROR(CheckCommonSettings(settings));
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<Optimizer> rule, MakeRule(WithoutAnchor(settings)));
  return settings.anchor == 0 ? std::move(rule) : MakeAnchored(std::move(rule), settings);
}

}  // namespace convoy
