#include "common/checkpoint/init_anchors.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/optimizers/anchored.h"

namespace convoy {

absl::Status CheckAnchors(const v1::InitPlan& plan, const v1::Optimizer& optimizer,
                          const std::string& path) {
  const auto anchored = [](const v1::InitPlan::Item& item) { return item.anchored(); };
  const double strength = StrongestAnchor(optimizer);
  if (strength == 0 || std::ranges::any_of(plan.variables(), anchored) ||
      std::ranges::any_of(plan.tables(), anchored)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("optimizer.anchor: got ", strength, ", but nothing of ", path,
                   " that it is for is loaded and learns; what is frozen or new needs no anchor"));
}

}  // namespace convoy
