// The options that change a job: the job file, --set, and the flags that stand for often changed fields.
#ifndef CONVOY_LAUNCHER_COMMANDS_JOB_OPTIONS_H_
#define CONVOY_LAUNCHER_COMMANDS_JOB_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace convoy {

struct JobOptions {
  std::string path;
  std::optional<std::string> servers, workers, mode;
  std::vector<std::string> set;   // path.to.field=value
};

// The job with every default filled in. InvalidArgument or NotFound: what is wrong, one error a line.
absl::StatusOr<v1::Job> LoadResolvedJob(const JobOptions& options);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_JOB_OPTIONS_H_
