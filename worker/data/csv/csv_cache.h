// From a CSV file to the sections of a cache.
#ifndef CONVOY_WORKER_DATA_CSV_CSV_CACHE_H_
#define CONVOY_WORKER_DATA_CSV_CSV_CACHE_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "proto/schema.pb.h"
#include "worker/data/byte_source.h"
#include "worker/data/cache_writer.h"
#include "worker/data/csv/row_encoder.h"

namespace convoy {

struct CsvEncoding {
  std::shared_ptr<const v1::Schema> schema;
  uint32_t max_bad_lines = 0;  // that may be skipped
  bool read_labels = true;     // if the file has the column
};

struct CsvSummary {
  uint64_t rows = 0;
  uint64_t entries = 0;  // features that are not 0, or ids
  bool labelled = false;
  uint64_t bad_lines = 0;       // skipped
  uint64_t first_bad_line = 0;  // from 1; 0: none
};

// Encodes all rows and gives them to `sink`, in order. InvalidArgument: "NAME:LINE: ..." a line
// that can't be read or encoded beyond max_bad_lines, columns that are not there, no rows; or what
// `sink` returned.
absl::StatusOr<CsvSummary> EncodeCsv(std::unique_ptr<ByteSource> source, const std::string& name,
                                     const CsvEncoding& encoding,
                                     absl::FunctionRef<absl::Status(const SparseRow&)> sink);

// Dense, sparse or ids as the schema says. Returns what a header says of the contents.
absl::StatusOr<CacheHeader> WriteCsv(std::unique_ptr<ByteSource> source, const std::string& name,
                                     const CsvEncoding& encoding, CacheWriter* writer);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CSV_CACHE_H_
