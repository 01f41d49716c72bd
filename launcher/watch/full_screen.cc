#include "launcher/watch/full_screen.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"

namespace convoy {
namespace {

// Other screen, no cursor, no wrapping of long lines; and back.
constexpr std::string_view kEnterScreen = "\033[?1049h\033[?25l\033[?7l\033[2J";
constexpr std::string_view kLeaveScreen = "\033[?7h\033[?25h\033[?1049l";

// A terminal that goes away is noticed by reading.
void WriteToScreen(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

sigset_t WatchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&set, signal);
  return set;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FullScreen>> FullScreen::Take() {
  const char* const term = std::getenv("TERM");
  const bool known = term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
  termios before = {};
  if (!known || isatty(STDOUT_FILENO) != 1 || tcgetattr(STDIN_FILENO, &before) != 0) {
    return absl::FailedPreconditionError(
        "--watch needs a terminal; without it the state is printed once");
  }
  const sigset_t watched = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  OwnedFd signals(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return ErrnoError("cannot watch", "signals");
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program would leave the screen as it is
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
    return ErrnoError("cannot set up", "the terminal");
  std::unique_ptr<FullScreen> screen(new FullScreen(before, std::move(signals)));
  WriteToScreen(kEnterScreen);
  return screen;
}

FullScreen::~FullScreen() {
  WriteToScreen(kLeaveScreen);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

FullScreen::Size FullScreen::size() const {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

void FullScreen::Draw(const std::vector<std::string>& lines) const {
  // In one write, from the top, each line erased behind its end: nothing flickers.
  std::string text = "\033[H";
  for (size_t i = 0; i < lines.size(); ++i)
    absl::StrAppend(&text, i == 0 ? "" : "\r\n", lines[i], "\033[K");
  text += "\033[J";
  WriteToScreen(text);
}

FullScreen::Input FullScreen::Wait(absl::Duration timeout) const {
  pollfd ready[] = {{STDIN_FILENO, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
  if (poll(ready, 2, static_cast<int>(absl::ToInt64Milliseconds(timeout))) <= 0)
    return Input::kNothing;
  Input input = Input::kNothing;
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    if (info.ssi_signo == SIGWINCH) {
      input = Input::kResized;
      continue;
    }
    if (info.ssi_signo != SIGINT) signal_ = static_cast<int>(info.ssi_signo);
    return Input::kLeave;
  }
  if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) return input;
  char keys[64];
  const ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));
  if (count <= 0) return Input::kLeave;
  const std::string_view typed(keys, static_cast<size_t>(count));
  return typed.find_first_of("qQ\003") != std::string_view::npos ? Input::kLeave : input;
}

}  // namespace convoy
