// The schema of the training data, learnt by one process of a host and kept beside the cache.
#ifndef CONVOY_WORKER_DATA_CSV_LEARNED_SCHEMA_H_
#define CONVOY_WORKER_DATA_CSV_LEARNED_SCHEMA_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"
#include "worker/data/cache.h"

namespace convoy {

// The file that keeps the schema of `train` by `settings` in a cache folder.
std::string LearnedSchemaPath(const std::string& train, const v1::Csv& settings, bool tsv,
                              const std::string& directory);

// Learns the schema of the file `train` or reads it if it was learnt from the file as it is now
// (size and modification time). Processes that want the same one wait for the one that learns.
// `settings.label` is set. InvalidArgument: as LearnSchema; Unavailable: the file changed
// meanwhile; else as OpenCache.
absl::StatusOr<std::shared_ptr<const v1::Schema>> LearnedSchema(const std::string& train,
                                                                const v1::Csv& settings, bool tsv,
                                                                const CacheOptions& options);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_LEARNED_SCHEMA_H_
