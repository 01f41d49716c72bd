// schema.json, the form in which a schema is saved with a model: protobuf's JSON of v1.Schema with
// the names of the .proto file. docs/csv.md has the grammar and an example.
#ifndef CONVOY_WORKER_DATA_CSV_SCHEMA_JSON_H_
#define CONVOY_WORKER_DATA_CSV_SCHEMA_JSON_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/schema.pb.h"

namespace convoy {

// With a line break at the end. Numbers are read back as the same bits.
std::string SchemaToJson(const v1::Schema& schema);

// InvalidArgument: not JSON of a schema, or not one that CheckSchema accepts. `name` is for errors.
absl::StatusOr<v1::Schema> ParseSchema(std::string_view json, const std::string& name);

// The schema of a run directory; null: the run has none, since its data were not CSV or TSV.
absl::StatusOr<std::shared_ptr<const v1::Schema>> ReadRunSchema(const std::string& run_dir);

// Where the schema of a run is.
std::string SchemaPathIn(const std::string& run_dir);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_SCHEMA_JSON_H_
