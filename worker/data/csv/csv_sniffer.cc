#include "worker/data/csv/csv_sniffer.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "worker/data/csv/csv_number.h"

namespace convoy {
namespace {

constexpr size_t kSniffedBytes = 4 << 20;
constexpr uint64_t kSniffedRows = 10'000;
constexpr int kSeparatorLines = 20;
constexpr char kSeparators[] = {',', ';', '\t', '|'};
constexpr uint64_t kAnyNumber = std::numeric_limits<uint64_t>::max();

// The records of the head. The last one may be cut off: an error there is the end.
class HeadRecords {
 public:
  HeadRecords(const CsvHead& head, const CsvDialect& dialect)
      : source_(MemorySource(head.text)), reader_(source_.get(), "", dialect) {}

  const CsvRecord* Next() {
    const absl::StatusOr<const CsvRecord*> record = reader_.Next();
    return record.ok() ? *record : nullptr;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  CsvReader reader_;
};

// How well a separator divides the first lines: how often it comes in each if they agree, else a
// fraction, by how often it comes in the first.
double Score(const CsvHead& head, const CsvDialect& dialect) {
  HeadRecords records(head, dialect);
  size_t fields = 1;
  for (int i = 0; i < kSeparatorLines; ++i) {
    const CsvRecord* const record = records.Next();
    if (record == nullptr) break;
    if (i == 0) fields = record->fields.size();
    if (record->fields.size() != fields) return 1 - 1 / static_cast<double>(fields);
  }
  return static_cast<double>(fields) - 1;
}

char SniffSeparator(const CsvHead& head, bool quotes) {
  return *std::max_element(std::begin(kSeparators), std::end(kSeparators), [&](char a, char b) {
    return Score(head, {a, quotes}) < Score(head, {b, quotes});
  });
}

bool IsWholeNumber(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// 0, 1, 2, ... or 1, 2, 3, ...
bool CountsUp(const std::vector<std::string_view>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] != std::to_string(i + (fields[0] == "0" ? 0 : 1))) return false;
  }
  return fields.size() > 1;
}

bool SniffHeader(const CsvHead& head, const CsvDialect& dialect, const std::string& label) {
  HeadRecords records(head, dialect);
  const CsvRecord* const first = records.Next();
  if (first == nullptr) return true;
  const auto& fields = first->fields;
  // A number may be that of the column, and stand among the values of the first row.
  if (IsWholeNumber(label) ? CountsUp(fields) : std::ranges::count(fields, label) > 0) return true;
  double number;
  return std::none_of(fields.begin(), fields.end(),
                      [&](std::string_view field) { return ParseNumber(field, &number); });
}

}  // namespace

absl::StatusOr<CsvHead> ReadHead(ByteSource* source) {
  CsvHead head;
  head.text.resize(kSniffedBytes);
  CONVOY_ASSIGN_OR_RETURN(const size_t got, source->Read(head.text));
  head.whole = got < kSniffedBytes;
  head.text.resize(got);
  if (head.whole) return head;
  if (const size_t last = head.text.rfind('\n'); last != std::string::npos) {
    head.text.resize(last + 1);
  }
  return head;
}

CsvLayout SniffLayout(const CsvHead& head, const v1::Csv& settings, bool tsv) {
  CsvLayout layout;
  layout.dialect.quotes = settings.quotes();
  if (settings.has_separator()) {
    layout.dialect.separator = settings.separator()[0];
  } else {
    layout.dialect.separator = tsv ? '\t' : SniffSeparator(head, settings.quotes());
  }
  layout.header = settings.has_header() ? settings.header()
                                        : SniffHeader(head, layout.dialect, settings.label());
  return layout;
}

absl::StatusOr<std::vector<SniffedColumn>> SniffColumns(const CsvHead& head,
                                                        const std::string& name,
                                                        const CsvLayout& layout,
                                                        const MissingValues& missing) {
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file,
                          CsvFile::Open(MemorySource(head.text), name, layout, kAnyNumber));
  std::vector<SniffedColumn> columns(file->columns().size());
  for (uint64_t i = 0; i < kSniffedRows; ++i) {
    const absl::StatusOr<const CsvRecord*> row = file->Next();
    if (!row.ok() && head.whole) return row.status();
    if (!row.ok() || *row == nullptr) break;
    for (size_t c = 0; c < columns.size(); ++c) {
      const std::string_view field = (*row)->fields[c];
      double number;
      if (missing.Contains(field)) continue;
      ++(ParseNumber(field, &number) ? columns[c].numbers : columns[c].texts);
    }
  }
  return columns;
}

}  // namespace convoy
