// Where the features of a schema's columns are.
#ifndef CONVOY_WORKER_DATA_CSV_SCHEMA_LAYOUT_H_
#define CONVOY_WORKER_DATA_CSV_SCHEMA_LAYOUT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "proto/schema.pb.h"

namespace convoy {

inline constexpr uint32_t kSchemaVersion = 1;
inline constexpr uint64_t kMaxSchemaFeatures = 1 << 24;

// Features of a column. ID: 0, they have no numbers.
uint64_t FeatureWidth(const v1::FeatureColumn& column);
// Features of a column that can be other than 0 in one row.
uint64_t MostNonzeros(const v1::FeatureColumn& column);

// Sets first_feature of each column, features and sparse: 128 features or more, of which at most a
// quarter can be other than 0. If a column is an ID, sets what goes with ids instead.
// InvalidArgument: no feature, more than 2^24, or more than 2^16 columns beside ids.
absl::Status LayOutFeatures(v1::Schema* schema);

// InvalidArgument: not a schema that this program could have learnt; says what is wrong with it.
absl::Status CheckSchema(const v1::Schema& schema);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_SCHEMA_LAYOUT_H_
