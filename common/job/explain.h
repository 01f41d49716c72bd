// The job file explained in the words of its schema: for terminals, and as a page.
#ifndef CONVOY_COMMON_JOB_EXPLAIN_H_
#define CONVOY_COMMON_JOB_EXPLAIN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/job/job_schema.h"

namespace convoy {

// Every group and field of a job, indented, with type and default.
std::string ExplainTree(const JobSchema& schema);

// One field or group: what it is, its type, range and default; of a group also its fields.
// InvalidArgument: there is no such path; says what was probably meant.
absl::StatusOr<std::string> Explain(const JobSchema& schema, std::string_view path);

// docs/job_reference.md.
std::string JobReferenceMarkdown(const JobSchema& schema);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_EXPLAIN_H_
