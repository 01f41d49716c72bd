// A CSV or TSV file as a table: the names of its columns, then rows that all have as many fields.
#ifndef CONVOY_WORKER_DATA_CSV_CSV_FILE_H_
#define CONVOY_WORKER_DATA_CSV_CSV_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/bad_lines.h"
#include "worker/data/byte_source.h"
#include "worker/data/csv/csv_reader.h"

namespace convoy {

struct CsvLayout {
  CsvDialect dialect;
  bool header = true;
};

// One thread.
class CsvFile {
 public:
  // Reads the header. `name` is for errors. `max_bad_lines` lines may be skipped.
  // InvalidArgument: nothing in it, a header that can't be read or names two columns alike.
  static absl::StatusOr<std::unique_ptr<CsvFile>> Open(std::unique_ptr<ByteSource> source,
                                                       std::string name, const CsvLayout& layout,
                                                       uint64_t max_bad_lines);

  const std::string& name() const { return name_; }
  // "" for columns without a name. Without header: "1", "2", ...
  const std::vector<std::string>& columns() const { return columns_; }
  bool header() const { return header_; }

  // The next row, valid until the next call; null at the end. Lines that are no row are rejected.
  absl::StatusOr<const CsvRecord*> Next();
  // Skips a row that can't be used. InvalidArgument "NAME:LINE: problem" if there are too many.
  absl::Status Reject(const CsvRecord& row, const std::string& problem);

  uint64_t bad_lines() const { return bad_lines_.count(); }
  // "line 12: field 3: ..."; empty: none.
  const std::string& first_bad_line() const { return bad_lines_.first(); }
  uint64_t first_bad_line_number() const { return bad_lines_.first_line(); }

 private:
  CsvFile(std::unique_ptr<ByteSource> source, std::string name, const CsvLayout& layout,
          uint64_t max_bad_lines);
  absl::Status ReadColumns();
  absl::Status NameColumns(const CsvRecord& record);

  const std::unique_ptr<ByteSource> source_;
  const std::string name_;
  const bool header_;
  CsvReader reader_;
  std::vector<std::string> columns_;
  const CsvRecord* first_ = nullptr;  // a row that was read to count the columns
  BadLines bad_lines_;
};

// The file at `path`, gunzipped. Errors of FileSource.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenText(const std::string& path,
                                                     const ActivityCallback& activity);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CSV_FILE_H_
