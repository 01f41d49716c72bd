#include "launcher/process/progress_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "launcher/process/progress_line.h"

namespace convoy {
namespace {

constexpr int kUsualWidth = 80;
constexpr std::string_view kEraseLine = "\r\033[K";

int TerminalWidth(int fd) {
  winsize size = {};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return size.ws_col;
}

void WriteTo(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

ProgressDisplay::Options ProgressDisplay::OptionsFor(int fd, const char* term,
                                                     const char* no_color) {
  Options options;
  options.terminal =
      ::isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb" && *term != '\0';
  options.color = options.terminal && (no_color == nullptr || *no_color == '\0');
  options.width = [fd] { return TerminalWidth(fd); };
  options.write = [fd](std::string_view text) { WriteTo(fd, text); };
  return options;
}

ProgressDisplay::~ProgressDisplay() { Finish(); }

void ProgressDisplay::SetTotals(uint64_t epochs, uint64_t examples) {
  state_.epochs = epochs;
  state_.total_examples = examples;
}

void ProgressDisplay::SetWaitingFor(std::string_view what, absl::Time now) {
  if (what.empty()) {
    waiting_since_ = absl::InfiniteFuture();
  } else if (waiting_since_ == absl::InfiniteFuture()) {
    waiting_since_ = now;
  }
  state_.waiting_for = now - waiting_since_ >= options_.patience ? what : "";
}

absl::Status ProgressDisplay::AddEvent(std::string_view line, absl::Time now) {
  EventKind kind;
  CONVOY_RETURN_IF_ERROR(ApplyEvent(line, &state_, &kind));
  if (kind == EventKind::kNotice) {
    Print(state_.notice);
  } else if (!options_.terminal && kind != EventKind::kCheckpoint) {
    ShowPlain(kind, now);
  }
  return absl::OkStatus();
}

void ProgressDisplay::ShowPlain(EventKind kind, absl::Time now) {
  if (kind == EventKind::kValidation) {
    if (validation_wanted_ || IsLastEpoch()) Print(RenderValidationLine(state_));
    validation_wanted_ = false;
    return;
  }
  if (kind == EventKind::kValidationOld) {
    if (validation_old_wanted_ || IsLastEpoch()) Print(RenderValidationOldLine(state_));
    validation_old_wanted_ = false;
    return;
  }
  if (kind == EventKind::kTest) {
    Print(RenderTestLine(state_));
    return;
  }
  const auto epochs = static_cast<uint64_t>(state_.epoch);
  const bool end_of_epoch =
      epochs > epochs_shown_ && (IsLastEpoch() || now - last_epoch_ >= options_.epoch_interval);
  if (!end_of_epoch && now - last_ < options_.line_interval) return;
  if (end_of_epoch) last_epoch_ = now;
  epochs_shown_ = epochs;
  last_ = now;
  validation_wanted_ = validation_old_wanted_ = true;
  Print(RenderTrainLine(state_));
}

bool ProgressDisplay::IsLastEpoch() const {
  return state_.epochs > 0 && static_cast<uint64_t>(state_.epoch) >= state_.epochs;
}

void ProgressDisplay::Refresh(absl::Time now) {
  if (options_.terminal) {
    if (now - last_ < options_.redraw_interval) return;
    last_ = now;
    Draw();
  } else if (!state_.waiting_for.empty() && now - last_ >= options_.line_interval) {
    last_ = now;
    Print(absl::StrCat("waiting for ", state_.waiting_for));
  }
}

void ProgressDisplay::Print(std::string_view line) {
  Erase();
  options_.write(std::string(line) + "\n");
}

void ProgressDisplay::Finish() {
  if (!options_.terminal || !drawn_) return;
  Draw();
  options_.write("\n");
  drawn_ = false;
}

void ProgressDisplay::Draw() {
  std::string text(kEraseLine);
  text += RenderTerminalLine(state_, options_.width(), options_.color);
  options_.write(text);
  drawn_ = true;
}

void ProgressDisplay::Erase() {
  if (drawn_) options_.write(kEraseLine);
  drawn_ = false;
}

}  // namespace convoy
