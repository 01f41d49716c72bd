// The end of a log file, for error messages.
#ifndef CONVOY_LAUNCHER_PROCESS_LOG_TAIL_H_
#define CONVOY_LAUNCHER_PROCESS_LOG_TAIL_H_

#include <cstddef>
#include <string>

namespace convoy {

struct LogTailOptions {
  size_t max_lines = 15;
  size_t max_bytes = 8192;
};

// The last lines of the file, each ended by '\n'; the first may be the end of a longer one.
// Control characters except tabs become '?', so that a log can't drive the terminal. Empty if the
// file can't be read.
std::string LogTail(const std::string& path, const LogTailOptions& options = {});

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_LOG_TAIL_H_
