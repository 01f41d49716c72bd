#include "worker/data/csv/csv_file.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<ByteSource>> OpenText(const std::string& path,
                                                     const ActivityCallback& activity) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> file, FileSource(path, activity));
  return Decompressed(std::move(file), path);
}

CsvFile::CsvFile(std::unique_ptr<ByteSource> source, std::string name, const CsvLayout& layout,
                 uint64_t max_bad_lines)
    : source_(std::move(source)),
      name_(std::move(name)),
      header_(layout.header),
      reader_(source_.get(), name_, layout.dialect),
      bad_lines_(name_, max_bad_lines, "data.csv.max_bad_lines") {}

absl::StatusOr<std::unique_ptr<CsvFile>> CsvFile::Open(std::unique_ptr<ByteSource> source,
                                                       std::string name, const CsvLayout& layout,
                                                       uint64_t max_bad_lines) {
  std::unique_ptr<CsvFile> file(
      new CsvFile(std::move(source), std::move(name), layout, max_bad_lines));
  CONVOY_RETURN_IF_ERROR(file->ReadColumns());
  return file;
}

absl::Status CsvFile::ReadColumns() {
  CONVOY_ASSIGN_OR_RETURN(const CsvRecord* const record, reader_.Next());
  if (record == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(name_, ": the file is empty"));
  }
  if (!record->problem.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", record->line, ": ", record->problem));
  }
  if (header_) return NameColumns(*record);
  for (size_t i = 1; i <= record->fields.size(); ++i) columns_.push_back(absl::StrCat(i));
  first_ = record;
  return absl::OkStatus();
}

absl::Status CsvFile::NameColumns(const CsvRecord& record) {
  columns_.assign(record.fields.begin(), record.fields.end());
  std::set<std::string> names;
  for (const std::string& column : columns_) {
    if (column.empty() || names.insert(column).second) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", record.line, ": two columns are called \"", column, "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<const CsvRecord*> CsvFile::Next() {
  if (first_ != nullptr) return std::exchange(first_, nullptr);
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const CsvRecord* const record, reader_.Next());
    if (record == nullptr) return nullptr;
    const bool complete = record->fields.size() == columns_.size();
    if (complete && record->problem.empty()) return record;
    CONVOY_RETURN_IF_ERROR(Reject(
        *record, !record->problem.empty()
                     ? record->problem
                     : absl::StrCat("expected ", columns_.size(),
                                    " fields, as in the first line, got ", record->fields.size())));
  }
}

absl::Status CsvFile::Reject(const CsvRecord& row, const std::string& problem) {
  return bad_lines_.Reject(row.line, problem);
}

}  // namespace convoy
