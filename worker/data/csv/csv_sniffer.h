// What a CSV file looks like, by its beginning: how it is written, and which columns are numbers.
#ifndef CONVOY_WORKER_DATA_CSV_CSV_SNIFFER_H_
#define CONVOY_WORKER_DATA_CSV_CSV_SNIFFER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/data/byte_source.h"
#include "worker/data/csv/csv_file.h"
#include "worker/data/csv/missing_values.h"

namespace convoy {

// The first bytes of a file.
struct CsvHead {
  std::string text;
  bool whole = false;  // the file has no more
};

// At most 4 MiB. Errors of the source.
absl::StatusOr<CsvHead> ReadHead(ByteSource* source);

// What `settings` say, the rest by the text: the separator that gives the same number of fields,
// the largest one, in the first lines; a header if the first line names settings.label or has no
// number.
CsvLayout SniffLayout(const CsvHead& head, const v1::Csv& settings, bool tsv);

// Values of a column in the first 10,000 rows of the head, the missing ones not counted.
struct SniffedColumn {
  uint64_t numbers = 0;
  uint64_t texts = 0;
};

// One for each column. Lines that can't be read are passed over. Errors of CsvFile::Open.
absl::StatusOr<std::vector<SniffedColumn>> SniffColumns(const CsvHead& head,
                                                        const std::string& name,
                                                        const CsvLayout& layout,
                                                        const MissingValues& missing);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CSV_SNIFFER_H_
