// The classes of a schema and those of a model.
#ifndef CONVOY_WORKER_DATA_CSV_CLASS_NAMES_H_
#define CONVOY_WORKER_DATA_CSV_CLASS_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "proto/schema.pb.h"

namespace convoy {

// Classes of a model on data whose label is a class: model.classes if it is set, 2 for
// logistic_regression, else those of the schema. InvalidArgument: the data have more, or only one.
absl::StatusOr<int64_t> ClassesOf(const v1::Model& model, const v1::Schema& schema);

// Name of each of `classes` classes: that of the schema, the number where it has none.
std::vector<std::string> ClassNames(const v1::Schema* schema, int64_t classes);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CLASS_NAMES_H_
