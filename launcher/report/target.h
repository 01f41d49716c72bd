// What a training is to reach: "validation/accuracy=0.87".
//
//   target = SPLIT "/" METRIC ( "=" | ">=" | "<=" ) number
//   SPLIT  = "validation" | "train"
// "=" means at most for loss and rmse, and at least for the other metrics of Convoy.
#ifndef CONVOY_LAUNCHER_REPORT_TARGET_H_
#define CONVOY_LAUNCHER_REPORT_TARGET_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/report/run_record.h"

namespace convoy {

struct Target {
  std::string split = "validation", metric;
  double value = 0;
  bool at_least = true;  // false: at most

  // "validation accuracy of 0.87".
  std::string Describe() const;
  bool MetBy(double measured) const { return at_least ? measured >= value : measured <= value; }
};

// InvalidArgument: says what was expected.
absl::StatusOr<Target> ParseTarget(std::string_view text);

// Whether larger is better; nothing for metrics that Convoy does not know.
std::optional<bool> LargerIsBetter(std::string_view metric);

// InvalidArgument, with what there is: the job measures no such thing, as far as the job file
// tells.
absl::Status CheckTarget(const Target& target, const v1::Job& job);
// The same with what a run of the job has measured. OK if it has measured nothing.
absl::Status CheckTarget(const Target& target, const RunRecord& run);

// The first point of the run at which the target is met; null: none.
const CurvePoint* FirstPointAt(const Target& target, const RunRecord& run);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_REPORT_TARGET_H_
