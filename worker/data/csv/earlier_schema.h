// The schema of the run that a job begins with (Job.init).
#ifndef CONVOY_WORKER_DATA_CSV_EARLIER_SCHEMA_H_
#define CONVOY_WORKER_DATA_CSV_EARLIER_SCHEMA_H_

#include <memory>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"

namespace convoy {

// That of the manifest of a checkpoint (of another one of the same run, if that one has been
// removed), or schema.json beside a file. Null: the job begins with no other weights, or they come
// without a schema. Errors as FindInitSource, ReadManifest and ReadRunSchema.
absl::StatusOr<std::shared_ptr<const v1::Schema>> EarlierSchema(const v1::Init& init);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_EARLIER_SCHEMA_H_
