// All that is wrong with a job, as one status.
#ifndef CONVOY_COMMON_JOB_ERROR_REPORT_H_
#define CONVOY_COMMON_JOB_ERROR_REPORT_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/job/origins.h"

namespace convoy {

class ErrorReport {
 public:
  // `arguments` are those of --set; both must outlive the report.
  ErrorReport(const std::string& filename, std::span<const std::string> arguments)
      : filename_(filename), arguments_(arguments) {}

  void Add(const Place& place, std::string message);
  bool empty() const { return errors_.empty(); }

  // InvalidArgument with one error a line, "FILE:LINE: message" by line, then
  // "--set ARGUMENT: message" in the order of the command line. OK if there are none.
  absl::Status ToStatus() const;

 private:
  struct Error {
    Place place;
    std::string message;
  };

  std::string PlaceText(const Place& place) const;

  const std::string& filename_;
  const std::span<const std::string> arguments_;
  std::vector<Error> errors_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_ERROR_REPORT_H_
