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
  if (!track_.Exhausted() || is_last || phase_ != v1::TRAINING) return;
  // A stop for another reason is at a later step; nobody has begun this one, where all hold.
  const bool holds = plan_->sync && measured_by_all_ && hold_ > 0 && hold_ <= key;
  if (stop_.step() != 0 && !(holds && stop_.MoveUpTo(key))) return;
  scaling_.reset();
  early_stopping_ = track_.Reason();
  // Also of workers that have not begun. Where some do not hold, the step may be past already.
  if (plan_->sync && measured_by_all_) hold_ = key;
  if (stop_.step() == 0) plan_->sync ? stop_.RequestAt(key) : stop_.Request();
  StateChanged();
  ServeTasks();
}

uint64_t CoordinatorCore::WantedHold() const {
  if (!plan_->sync || track_.metric().empty()) return 0;
  const uint64_t to_save = keeper_->hold();
  const uint64_t period = plan_->StepsPerValidation();
  // A client in another language need not report validations.
  if (!track_.decides() || period == 0 || !measured_by_all_) return to_save;
  const uint64_t passed = std::max(track_.state().last_key, resume_ ? resume_->manifest.step : 0);
  const uint64_t to_decide = (passed / period + 1) * period;
  if (to_decide >= plan_->TotalSteps()) return to_save;
  return to_save == 0 ? to_decide : std::min(to_save, to_decide);
}

std::string CoordinatorCore::HeldFor() const {
  constexpr absl::Duration kAWhile = absl::Seconds(1);
  if (hold_ == 0 || CurrentStep() + 1 < hold_) return "";
  for (uint32_t rank = 0; rank < members_.workers(); ++rank) {
    if (members_.worker(rank)->stepped + kAWhile > now_) return "";
  }
  if (track_.state().last_key < hold_) {
    return absl::StrCat("all workers to report the validation at step ", hold_);
  }
  const std::string checkpoint = keeper_->WaitingFor();
  return checkpoint.empty() ? "" : absl::StrCat("the checkpoint of step ", hold_, ": ", checkpoint);
}

bool CoordinatorCore::UpdateHold() {
  // At a validation that ends the training nobody goes on.
  const uint64_t hold = early_stopping_.empty() ? WantedHold() : hold_;
  return std::exchange(hold_, hold) != hold;
}

}  // namespace convoy
