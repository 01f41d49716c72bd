// How far the run under way is, on one line of a terminal.
#ifndef CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_PROGRESS_H_
#define CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_PROGRESS_H_

#include <cstdint>
#include <ios>
#include <string>

#include "launcher/process/progress_state.h"

namespace convoy {

// Writes to standard output, and nothing if that is not a terminal.
class RunProgress {
 public:
  RunProgress(std::string title, std::string events_path, uint64_t epochs);
  // Takes the line away.
  ~RunProgress();

  // Reads what is new in events.jsonl and redraws the line.
  void Look();

 private:
  const std::string title_, events_path_;
  const bool terminal_;
  ProgressState state_;
  std::streampos read_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_COMPARE_RUN_PROGRESS_H_
