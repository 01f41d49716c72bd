// The one validation pass over a job, for what proto/job.proto says about its fields.
#ifndef CONVOY_COMMON_JOB_VALIDATE_H_
#define CONVOY_COMMON_JOB_VALIDATE_H_

#include <string>
#include <vector>

#include "proto/job.pb.h"

namespace convoy {

// One broken rule.
struct Violation {
  std::string path;     // the field, e.g. "optimizer.override[1].match"
  std::string message;  // a sentence that names the field
  // The field is required and absent, rather than wrong.
  bool missing = false;
};

// Everything that is wrong with `job`, looking at nothing but the job itself. Fields that are not
// set are taken to have their defaults.
std::vector<Violation> Validate(const v1::Job& job);

}  // namespace convoy

#endif  // CONVOY_COMMON_JOB_VALIDATE_H_
