// The options that change a job: the job file, --set, and the flags that stand for often changed
// fields.
#ifndef CONVOY_LAUNCHER_COMMANDS_JOB_OPTIONS_H_
#define CONVOY_LAUNCHER_COMMANDS_JOB_OPTIONS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace convoy {

struct JobOptions {
  std::string path;
  // Flags for fields that are changed often, as they were written; by the path of the field.
  std::map<std::string, std::string> fields;
  // Flags that append to lists, in the order of the command line: path of the field and value.
  std::vector<std::pair<std::string, std::string>> lists;
  std::vector<std::string> set;  // path.to.field=value
};

// The job with every default filled in. InvalidArgument or NotFound: what is wrong, one error a
// line.
absl::StatusOr<v1::Job> LoadResolvedJob(const JobOptions& options);
// The job as it was written: fields that are set nowhere are not there. Errors as LoadResolvedJob.
absl::StatusOr<v1::Job> LoadWrittenJob(const JobOptions& options);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_JOB_OPTIONS_H_
