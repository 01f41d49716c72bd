// Lines of a text file that can't be read: each is an error, unless the job allows to skip some.
#ifndef CONVOY_WORKER_DATA_BAD_LINES_H_
#define CONVOY_WORKER_DATA_BAD_LINES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace convoy {

// Lines of a file that are left out since they can't be read.
struct SkippedLines {
  uint64_t count = 0;
  uint64_t first = 0;  // its number, from 1; 0: none

  // "FILE: 3 bad lines are skipped, the first: line 7"; empty: none.
  std::string Describe(const std::string& file) const;
};

// One thread.
class BadLines {
 public:
  // `name` of the file and the `setting` that holds the limit are for errors. `limit`: lines that
  // may be skipped.
  BadLines(std::string name, uint64_t limit, std::string setting)
      : name_(std::move(name)), limit_(limit), setting_(std::move(setting)) {}

  // Counts line `line` (from 1), which has `problem`. InvalidArgument "NAME:LINE: problem": there
  // are more than `limit` now; without limit 0 it names the first one, too.
  absl::Status Reject(uint64_t line, const std::string& problem);

  const std::string& name() const { return name_; }
  uint64_t count() const { return count_; }
  uint64_t first_line() const { return first_line_; }  // 0: none
  // "line 12: field 3: ..."; empty: none.
  const std::string& first() const { return first_; }

 private:
  const std::string name_;
  const uint64_t limit_;
  const std::string setting_;
  uint64_t count_ = 0;
  uint64_t first_line_ = 0;
  std::string first_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_BAD_LINES_H_
