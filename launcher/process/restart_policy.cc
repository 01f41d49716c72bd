#include "launcher/process/restart_policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(500);
constexpr absl::Duration kLongestDelay = absl::Seconds(10);

// 0, 0.5, 1, 2, 4, 8, 10, 10, ... seconds.
absl::Duration DelayBefore(uint32_t restart_in_a_row) {
  if (restart_in_a_row <= 1) return absl::ZeroDuration();
  const uint32_t doublings = std::min(restart_in_a_row - 2, 10u);
  return std::min(kFirstDelay * (1 << doublings), kLongestDelay);
}

std::string Times(uint32_t count) {
  return count == 1 ? "once" : absl::StrCat(count, " times in a row");
}

}  // namespace

RestartPolicy::Decision RestartPolicy::OnLoss(const Loss& loss) {
  if (loss.examples > furthest_) in_a_row_ = 0;
  furthest_ = std::max(furthest_, loss.examples);
  const uint32_t limit = loss.crashed ? std::min(max_restarts_, kMaxCrashes) : max_restarts_;
  Decision decision;
  if (in_a_row_ >= limit) {
    if (max_restarts_ > 0) {
      decision.text = absl::StrCat(
          "the job was started again ", Times(in_a_row_),
          " without getting further than before, and is given up",
          limit < max_restarts_ ? " since the program itself crashes"
                                : absl::StrCat(" (cluster.max_restarts: ", max_restarts_, ")"));
    }
    return decision;
  }
  ++in_a_row_;
  decision.delay = DelayBefore(in_a_row_);
  if (loss.replaceable) {
    decision.remedy = Remedy::kReplace;
    return decision;
  }
  ++restarts_;
  decision.remedy = Remedy::kRestoreAll;
  decision.text = absl::StrCat("restart ", restarts_);
  if (in_a_row_ > 1) {
    absl::StrAppend(&decision.text, ", number ", in_a_row_, " of at most ", limit,
                    " in a row without getting further; in ", absl::FormatDuration(decision.delay));
  }
  return decision;
}

}  // namespace convoy
