#include "launcher/commands/next_life.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "launcher/commands/resume.h"

namespace convoy {

absl::Status PrepareNextLife(const NextLife& next, const RunDirectory& directory,
                             bool generation_heard, ResumeFrom* resume, RunScreen* screen) {
  CONVOY_ASSIGN_OR_RETURN(const FoundResumePoint found, FindResumePoint(directory.path()));
  for (const std::string& damaged : found.damaged) screen->Print("warning: " + damaged);
  screen->Print(absl::StrCat(
      next.why, "; starting again ",
      found.point ? absl::StrCat("from the checkpoint of step ", found.point->manifest.step)
                  : "from the beginning, since there is no checkpoint yet",
      " (", next.how, ")", next.more));
  resume->checkpoint = found.point ? found.point->folder : "";
  EarlierLives& earlier = resume->earlier;
  if (found.point)
    earlier.generation = std::max(earlier.generation, found.point->manifest.generation);
  if (!generation_heard) ++earlier.generation;  // the life that has ended may have begun one
  return absl::OkStatus();
}

}  // namespace convoy
