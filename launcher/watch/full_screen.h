// A terminal that one program has for itself: its own screen, no echo, no cursor; as it was before
// in the end.
#ifndef CONVOY_LAUNCHER_WATCH_FULL_SCREEN_H_
#define CONVOY_LAUNCHER_WATCH_FULL_SCREEN_H_

#include <termios.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/files/owned_fd.h"

namespace convoy {

// One thread.
class FullScreen {
 public:
  struct Size {
    int width = 80, height = 24;
  };
  enum class Input { kNothing, kResized, kLeave };

  // Takes the terminal that standard input and output are. SIGINT, SIGTERM, SIGHUP and SIGWINCH are
  // blocked in the calling thread and those that it starts from then on: call before any other
  // thread is started. FailedPrecondition: they are not a terminal.
  static absl::StatusOr<std::unique_ptr<FullScreen>> Take();
  // Gives the terminal back.
  ~FullScreen();

  Size size() const;
  // Replaces what is there; a line has at most width - 1 columns.
  void Draw(const std::vector<std::string>& lines) const;
  // Waits for a key, a signal or `timeout`. kLeave: q, Ctrl-C, the end of the input or a signal
  // that ends programs.
  Input Wait(absl::Duration timeout) const;
  // The signal that Wait left for; 0: none, or Ctrl-C.
  int signal() const { return signal_; }

 private:
  FullScreen(const termios& before, OwnedFd signals)
      : before_(before), signals_(std::move(signals)) {}

  const termios before_;
  const OwnedFd signals_;  // signalfd
  mutable int signal_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_WATCH_FULL_SCREEN_H_
