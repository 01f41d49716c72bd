#include "launcher/watch/compose_view.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "launcher/watch/warnings.h"

namespace convoy {

void AddHistory(const EventHistory& history, RunView* view) {
  view->progress = history.state();
  view->seconds = history.seconds();
  view->checkpoints = history.checkpoints();
  view->newest_checkpoint = history.newest_checkpoint();
  view->events.assign(history.lines().begin(), history.lines().end());
  if (history.loss_is_broken())
    view->warnings.push_back("the loss of training is not a finite number");
  if (!history.checkpoint_failure().empty()) {
    view->warnings.push_back(
        absl::StrCat("the last checkpoint could not be saved: ", history.checkpoint_failure()));
  }
  if (history.damaged() > 0) {
    view->warnings.push_back(
        absl::StrCat(history.damaged(), " lines of events.jsonl can't be read"));
  }
}

void AddLive(const v1::GetProgressReply& reply, LiveView* live, RunView* view) {
  live->Update(reply, view);
  if (reply.has_job()) view->progress.epochs = reply.job().training().epochs();
  if (view->skipped > 0) {
    view->warnings.push_back(
        absl::StrCat(view->skipped, " gradients were not finite and were skipped"));
  }
  for (std::string& text : LiveWarnings(reply, *view)) view->warnings.push_back(std::move(text));
}

}  // namespace convoy
