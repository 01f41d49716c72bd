#include "worker/data/bad_lines.h"

#include "absl/strings/str_cat.h"

namespace convoy {

absl::Status BadLines::Reject(uint64_t line, const std::string& problem) {
  ++count_;
  if (count_ == 1) {
    first_line_ = line;
    first_ = absl::StrCat("line ", line, ": ", problem);
  }
  if (count_ <= limit_) return absl::OkStatus();
  const std::string what = absl::StrCat(name_, ":", line, ": ", problem);
  if (limit_ == 0) return absl::InvalidArgumentError(what);
  return absl::InvalidArgumentError(absl::StrCat(what, "; this is bad line ", count_, ", and ",
                                                 setting_, " is ", limit_, "; the first was ",
                                                 first_));
}

std::string SkippedLines::Describe(const std::string& file) const {
  if (count == 0) return "";
  if (count == 1) return absl::StrCat(file, ": a bad line is skipped: line ", first);
  return absl::StrCat(file, ": ", count, " bad lines are skipped, the first: line ", first);
}

}  // namespace convoy
