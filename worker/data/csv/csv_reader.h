// Records of CSV and TSV text: RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180), and leniently:
// lines may end with LF alone, blanks around a field are dropped, a quote within an unquoted field
// is a character like others, blank lines are skipped.
#ifndef CONVOY_WORKER_DATA_CSV_CSV_READER_H_
#define CONVOY_WORKER_DATA_CSV_CSV_READER_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/byte_source.h"

namespace convoy {

// How a file writes its records.
struct CsvDialect {
  char separator = ',';
  bool quotes = true;  // "..." encloses a field, "" within it is a quote
};

struct CsvRecord {
  uint64_t line = 0;  // where it begins, from 1
  std::vector<std::string_view> fields;
  // Why it can't be read; empty: it can. E.g. bytes that are not UTF-8.
  std::string problem;
};

// One thread.
class CsvReader {
 public:
  // `source` outlives the reader. `name` is for errors.
  CsvReader(ByteSource* source, std::string name, const CsvDialect& dialect);

  // The next record, valid until the next call; null at the end. A byte order mark is skipped.
  // InvalidArgument: a quote that is never closed, a record longer than 64 MiB, UTF-16; or errors
  // of the source.
  absl::StatusOr<const CsvRecord*> Next();

 private:
  enum class Scan { kRecord, kIncomplete };

  absl::Status Fill();
  absl::Status Begin();
  // Reads the record at at_, which ends with a line break or, in the last line, with the text.
  Scan ScanRecord();
  // Read the field at *at; false: it may go on beyond what is there.
  bool ScanPlain(char** at);
  bool ScanQuoted(char** at);
  void CheckText(const char* begin, const char* end);
  void UndoubleQuotes();
  absl::Status TooLong() const;
  bool Ends(char c) const { return ends_field_[static_cast<unsigned char>(c)]; }

  ByteSource* const source_;
  const std::string name_;
  const CsvDialect dialect_;
  std::array<bool, 256> ends_field_ = {};
  std::vector<char> buffer_;
  size_t at_ = 0;      // of the next record
  size_t filled_ = 0;  // a '\n' stands behind
  bool begun_ = false;
  bool ended_ = false;
  uint64_t line_ = 1;             // of the next record
  uint64_t breaks_ = 0;           // line breaks within the quotes of the current one
  uint64_t open_quote_line_ = 0;  // 0: no quote is open
  CsvRecord record_;
  bool quoted_ = false;          // a field of record_ is
  std::vector<size_t> doubled_;  // fields of record_ with "" in them
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CSV_READER_H_
