// Learns a schema from the training data.
#ifndef CONVOY_WORKER_DATA_CSV_SCHEMA_LEARNER_H_
#define CONVOY_WORKER_DATA_CSV_SCHEMA_LEARNER_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"
#include "worker/data/byte_source.h"

namespace convoy {

// The training data from their first byte; called twice.
using SourceOpener = absl::FunctionRef<absl::StatusOr<std::unique_ptr<ByteSource>>()>;

// Reads the head of the file, then all of it. A pure function of the bytes and `settings`.
// InvalidArgument: "NAME:LINE: ..." more bad lines than settings.max_bad_lines; columns that are
// not there; no rows; more than 10,000 classes or 1,000,000 categories of a column.
absl::StatusOr<v1::Schema> LearnSchema(SourceOpener open, const std::string& name,
                                       const v1::Csv& settings, bool tsv);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_SCHEMA_LEARNER_H_
