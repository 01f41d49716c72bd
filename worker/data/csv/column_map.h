// Which fields of a file are the columns of a schema: by name, in any order.
#ifndef CONVOY_WORKER_DATA_CSV_COLUMN_MAP_H_
#define CONVOY_WORKER_DATA_CSV_COLUMN_MAP_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/schema.pb.h"
#include "worker/data/csv/csv_file.h"

namespace convoy {

struct ColumnMap {
  std::vector<size_t> features;  // field of each schema.column
  std::optional<size_t> label;   // none: the file has no labels
};

// How the files of a schema are written.
CsvLayout LayoutOf(const v1::Schema& schema);

// Columns that the schema does not have are passed over. Without header a file has the columns of
// the training data in their order, with or without that of the label.
// InvalidArgument: columns that features are made of are not there (all of them, with suggestions).
absl::StatusOr<ColumnMap> MapColumns(const CsvFile& file, const v1::Schema& schema);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_COLUMN_MAP_H_
