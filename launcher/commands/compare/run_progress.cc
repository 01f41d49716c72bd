#include "launcher/commands/compare/run_progress.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "launcher/report/report_text.h"

namespace convoy {

RunProgress::RunProgress(std::string title, std::string events_path, uint64_t epochs)
    : title_(std::move(title)),
      events_path_(std::move(events_path)),
      terminal_(isatty(STDOUT_FILENO) == 1) {
  state_.epochs = epochs;
}

RunProgress::~RunProgress() {
  if (terminal_) std::printf("\r\033[K");
}

void RunProgress::Look() {
  if (!terminal_) return;
  std::ifstream events(events_path_);
  events.seekg(read_);
  // A line without its end is read again the next time.
  for (std::string line; std::getline(events, line) && !events.eof();) {
    read_ = events.tellg();
    EventKind kind;
    ApplyEvent(line, &state_, &kind).IgnoreError();
  }
  std::printf("\r\033[K%s: epoch %.1f of %d, loss %s", title_.c_str(), state_.epoch,
              static_cast<int>(state_.epochs),
              state_.train.loss ? MetricText(*state_.train.loss).c_str() : "-");
  std::fflush(stdout);
}

}  // namespace convoy
