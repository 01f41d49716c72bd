// Shows the progress of a job: one line that is redrawn on a terminal, plain lines elsewhere.
#ifndef CONVOY_LAUNCHER_PROCESS_PROGRESS_DISPLAY_H_
#define CONVOY_LAUNCHER_PROCESS_PROGRESS_DISPLAY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "launcher/process/progress_state.h"

namespace convoy {

// One thread.
class ProgressDisplay {
 public:
  struct Options {
    // Redraw one line (true) or print lines (false).
    bool terminal = false;
    bool color = false;
    // Shortest time between two plain lines of training within an epoch.
    absl::Duration line_interval = absl::Seconds(5);
    // The same between ends of epochs. The end of the last one is always shown; validations are
    // shown for the ends of epochs that are.
    absl::Duration epoch_interval = absl::Milliseconds(500);
    // What the job is waiting for is shown if it lasts this long.
    absl::Duration patience = absl::Seconds(2);
    // Shortest time between two redraws.
    absl::Duration redraw_interval = absl::Milliseconds(100);
    // Columns of the terminal, asked for at each redraw.
    std::function<int()> width;
    // Where the text goes.
    std::function<void(std::string_view)> write;
  };

  // Options for text that goes to `fd`. `term` and `no_color` are the values of the environment
  // variables TERM and NO_COLOR (https://no-color.org), null if not set. A failed write is ignored.
  static Options OptionsFor(int fd, const char* term, const char* no_color);

  explicit ProgressDisplay(Options options) : options_(std::move(options)) {}
  // Finishes.
  ~ProgressDisplay();

  // 0: not known.
  void SetTotals(uint64_t epochs, uint64_t examples);
  // What the job is waiting for; empty: nothing.
  void SetWaitingFor(std::string_view what, absl::Time now);
  // A line of events.jsonl. InvalidArgument: it is not one; it is not shown then.
  absl::Status AddEvent(std::string_view line, absl::Time now);
  // Call from time to time: redraws the line, or says what the job is waiting for.
  void Refresh(absl::Time now);
  // A line of its own, above the progress.
  void Print(std::string_view line);
  // Leaves the progress line as it is and goes on below it. Call before others write.
  void Finish();

  const ProgressState& state() const { return state_; }

 private:
  void ShowPlain(EventKind kind, absl::Time now);
  bool IsLastEpoch() const;
  void Draw();
  void Erase();

  const Options options_;
  ProgressState state_;
  absl::Time waiting_since_ = absl::InfiniteFuture();
  bool drawn_ = false;                            // the progress line is on the screen
  absl::Time last_ = absl::InfinitePast();        // last redraw or line
  uint64_t epochs_shown_ = 0;                     // whole epochs at the last plain line
  absl::Time last_epoch_ = absl::InfinitePast();  // the last plain line of the end of an epoch
  // A plain line came since the last validation that was shown.
  bool validation_wanted_ = true;
  bool validation_old_wanted_ = true;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_PROGRESS_DISPLAY_H_
