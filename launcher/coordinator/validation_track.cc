#include "launcher/coordinator/validation_track.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/metrics/metric_names.h"

namespace convoy {

ValidationTrack::ValidationTrack(const v1::Job& job) : metric_(job.checkpoint().best()) {
  if (job.training().has_early_stopping()) {
    const v1::EarlyStopping& rule = job.training().early_stopping();
    metric_ = rule.metric();
    patience_ = rule.patience();
    min_delta_ = rule.min_delta();
  }
  lower_is_better_ = LowerIsBetter(metric_);
}

bool ValidationTrack::Add(uint64_t key, std::optional<double> value) {
  if (key <= state_.last_key) return false;
  state_.last_key = key;
  const bool is_number = value && std::isfinite(*value);
  const bool improves =
      is_number && (!state_.best || (lower_is_better_ ? *state_.best - *value
                                                      : *value - *state_.best) > min_delta_);
  if (!improves) {
    ++state_.since_best;
    return false;
  }
  state_.best = *value;
  state_.best_key = key;
  state_.since_best = 0;
  return true;
}

std::string ValidationTrack::Reason() const {
  return absl::StrCat(metric_, " has not improved for ", state_.since_best, " validations",
                      state_.best ? absl::StrCat("; the best was ", *state_.best) : "");
}

}  // namespace convoy
