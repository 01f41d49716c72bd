// Reads job files: text format, --set arguments, validation, paths; all errors at once.
// docs/job_file.md describes it for users.
#ifndef CONVOY_COMMON_JOB_JOB_FILE_H_
#define CONVOY_COMMON_JOB_JOB_FILE_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/job/defaults.h"
#include "proto/job.pb.h"

namespace convoy {

// Whether the data files of a job must exist and be readable.
enum class DataFiles { kUnchecked, kChecked };

// Reads the job file at `path`, applies `overrides` (arguments of --set, e.g. "training.epochs=3")
// in order, and validates the result, its data files included.
// The job has a name, its paths are absolute, and fields that are set nowhere stay unset: see
// ResolveDefaults.
// NotFound: the file can't be read. InvalidArgument: everything that is wrong, one error a line:
//   job.textproto:12: optimizer.learning_rate must be > 0, got -1
//   --set training.epochs=0: training.epochs must be >= 1, got 0
absl::StatusOr<v1::Job> LoadJob(const std::string& path, std::span<const std::string> overrides);

// The same for text that stands in a file called `filename`, which need not exist: it names the
// errors, the job and the folder of relative paths.
absl::StatusOr<v1::Job> ParseJob(std::string_view text, const std::string& filename,
                                 std::span<const std::string> overrides,
                                 DataFiles data_files = DataFiles::kUnchecked);

// `job` in text format, fields in the order of the schema. ParseJob makes the same job of it.
std::string JobToText(const v1::Job& job);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_JOB_FILE_H_
