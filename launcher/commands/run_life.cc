#include "launcher/commands/run_life.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "launcher/commands/replacements.h"

namespace convoy {

std::optional<Loss> FindLoss(const RunLife& life, const absl::Status& status, uint64_t examples,
                             JobProcesses* processes) {
  auto failure = processes->FirstFailure();
  if (!failure && !life.failed_by_loss && !life.silent) {
    // The coordinator's word may come before the end of the process that it is about.
    processes->WaitUntilAllExited(absl::Milliseconds(200));
    failure = processes->FirstFailure();
  }
  if (failure && failure->killed) return Loss{failure->cause, failure->crashed, examples};
  if (life.failed_by_loss) return Loss{std::string(status.message()), false, examples};
  if (!life.silent) return std::nullopt;
  return Loss{absl::StrCat("the coordinator has not answered for ",
                           absl::FormatDuration(kCoordinatorSilence)),
              false, examples};
}

std::string AboutLost(const JobProcesses& processes) {
  const auto failure = processes.FirstFailure();
  if (!failure || !failure->killed) return "";
  if (!failure->crashed) return absl::StrCat("; its log is ", failure->log);
  return absl::StrCat("\n", failure->description);
}

}  // namespace convoy
