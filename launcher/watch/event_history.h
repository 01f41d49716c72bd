// What the lines of events.jsonl (docs/run_directory.md) say to who watches a run.
#ifndef CONVOY_LAUNCHER_WATCH_EVENT_HISTORY_H_
#define CONVOY_LAUNCHER_WATCH_EVENT_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "launcher/process/progress_state.h"

namespace convoy {

// One thread.
class EventHistory {
 public:
  // `kept`: lines for people.
  explicit EventHistory(size_t kept = 200) : kept_(kept) {}

  // Lines that are no events are counted and left out.
  void Add(std::string_view line);

  const ProgressState& state() const { return state_; }
  // "0:12  validation at step 469, loss 0.4377, accuracy 0.8429", ... the newest last; reports of
  // training are not among them.
  const std::deque<std::string>& lines() const { return lines_; }
  uint64_t checkpoints() const { return checkpoints_; }
  uint64_t newest_checkpoint() const { return newest_checkpoint_; }
  // Why the last checkpoint could not be saved; "": it could.
  const std::string& checkpoint_failure() const { return checkpoint_failure_; }
  // The newest report of training has a loss that is not a finite number.
  bool loss_is_broken() const { return loss_is_broken_; }
  double seconds() const { return seconds_; }  // of the newest event, since the training began
  uint64_t damaged() const { return damaged_; }

 private:
  void Keep(const std::string& text);

  const size_t kept_;
  ProgressState state_;
  std::deque<std::string> lines_;
  uint64_t checkpoints_ = 0, newest_checkpoint_ = 0;
  std::string checkpoint_failure_;
  bool loss_is_broken_ = false;
  double seconds_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_EVENT_HISTORY_H_
