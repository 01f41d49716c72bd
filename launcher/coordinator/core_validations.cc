// The fourth part of CoordinatorCore: what validations decide.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/metrics/metric_names.h"
#include "launcher/coordinator/coordinator_core.h"
#include "launcher/coordinator/json.h"

namespace convoy {

// Of modes with steps only those count that every run of the job makes, not one where it was
// stopped.
void CoordinatorCore::FollowValidation(const std::string& line) {
  if (track_.metric().empty()) return;
  const Json json = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
  const std::string name(MetricOf(track_.metric()));
  if (!json.contains(name)) {
    return FailJob(
        absl::StrCat("\"", track_.metric(), "\" is not measured by this job's validation"));
  }
  const uint64_t key = json[plan_->sync ? "step" : "epoch"].get<uint64_t>();
  const uint64_t period = plan_->StepsPerValidation();
  // Nor that of the weights it began with, which are not its own.
  const bool regular =
      !plan_->sync || key == plan_->TotalSteps() || (period > 0 && key > 0 && key % period == 0);
  if (!regular) return;
  std::optional<double> value;
  if (json[name].is_number()) value = json[name].get<double>();
  const bool best = track_.Add(key, value);
  if (best && tasks_ && keeper_->enabled() && phase_ == v1::TRAINING) {
    best_order_ = keeper_->Request(CurrentStep());
    FollowKeeper(keeper_->Tick(now_, CurrentStep()));
  }
  EndIfExhausted(key);
  if (UpdateHold()) StateChanged();
}

void CoordinatorCore::EndIfExhausted(uint64_t key) {
  const bool is_last = plan_->sync ? key >= plan_->TotalSteps() : tasks_->remaining() == 0;
  if (!track_.Exhausted() || is_last || phase_ != v1::TRAINING || stop_.step() != 0) return;
  early_stopping_ = track_.Reason();
  if (plan_->sync) hold_ = key;  // also of workers that have not begun
  plan_->sync ? stop_.RequestAt(key) : stop_.Request();
  StateChanged();
  ServeTasks();
}

uint64_t CoordinatorCore::WantedHold() const {
  if (!plan_->sync || track_.metric().empty()) return 0;
  const uint64_t to_save = keeper_->hold();
  const uint64_t period = plan_->StepsPerValidation();
  if (!track_.decides() || period == 0) return to_save;
  const uint64_t passed = std::max(track_.state().last_key, resume_ ? resume_->manifest.step : 0);
  const uint64_t to_decide = (passed / period + 1) * period;
  if (to_decide >= plan_->TotalSteps()) return to_save;
  return to_save == 0 ? to_decide : std::min(to_save, to_decide);
}

bool CoordinatorCore::UpdateHold() {
  // At a validation that ends the training nobody goes on.
  const uint64_t hold = early_stopping_.empty() ? WantedHold() : hold_;
  return std::exchange(hold_, hold) != hold;
}

}  // namespace convoy
