#include "worker/data/csv/csv_cache.h"

#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/csv/csv_file.h"
#include "worker/data/id_cache.h"

namespace convoy {
namespace {

constexpr size_t kFlushBytes = 1 << 20;

template <typename T>
std::span<const char> VectorBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Collects rows and appends them in pieces.
class RowWriter {
 public:
  RowWriter(const v1::Schema& schema, bool labelled, CacheWriter* writer)
      : width_(schema.features()), sparse_(schema.sparse()), labelled_(labelled), writer_(writer) {
    if (sparse_) offsets_.push_back(0);  // where the first row begins
  }

  absl::Status Add(const SparseRow& row) {
    labels_.push_back(row.label);
    if (sparse_) {
      AddSparse(row);
    } else {
      AddDense(row);
    }
    return values_.size() * sizeof(float) < kFlushBytes ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    if (labelled_) CONVOY_RETURN_IF_ERROR(writer_->Append(kLabels, VectorBytes(labels_)));
    if (sparse_) {
      CONVOY_RETURN_IF_ERROR(writer_->Append(kRowOffsets, VectorBytes(offsets_)));
      CONVOY_RETURN_IF_ERROR(writer_->Append(kColumns, VectorBytes(columns_)));
    }
    CONVOY_RETURN_IF_ERROR(writer_->Append(kValues, VectorBytes(values_)));
    labels_.clear();
    offsets_.clear();
    columns_.clear();
    values_.clear();
    return absl::OkStatus();
  }

 private:
  void AddSparse(const SparseRow& row) {
    columns_.insert(columns_.end(), row.columns.begin(), row.columns.end());
    values_.insert(values_.end(), row.values.begin(), row.values.end());
    entries_ += static_cast<int64_t>(row.columns.size());
    offsets_.push_back(entries_);
  }

  void AddDense(const SparseRow& row) {
    const size_t begin = values_.size();
    values_.resize(begin + width_);
    for (size_t k = 0; k < row.columns.size(); ++k) values_[begin + row.columns[k]] = row.values[k];
  }

  const size_t width_;
  const bool sparse_;
  const bool labelled_;
  CacheWriter* const writer_;
  std::vector<float> labels_;
  std::vector<float> values_;
  std::vector<uint32_t> columns_;
  std::vector<int64_t> offsets_;
  int64_t entries_ = 0;
};

// The same for rows of ids.
class IdRowWriter {
 public:
  IdRowWriter(bool labelled, CacheWriter* writer) : cache_(labelled, writer) {}

  absl::Status Add(const SparseRow& row) {
    rows_.labels.push_back(row.label);
    ids_.insert(ids_.end(), row.ids.begin(), row.ids.end());
    fields_.insert(fields_.end(), row.fields.begin(), row.fields.end());
    values_.insert(values_.end(), row.values.begin(), row.values.end());
    rows_.row_ends.push_back(static_cast<int64_t>(ids_.size()));
    return ids_.size() * sizeof(uint64_t) < kFlushBytes ? absl::OkStatus() : Flush();
  }

  absl::StatusOr<CacheHeader> Finish(const IdSummary& summary, const std::string& name) {
    CONVOY_RETURN_IF_ERROR(Flush());
    return cache_.Finish(summary, name);
  }

 private:
  absl::Status Flush() {
    rows_.ids = ids_;
    rows_.fields = fields_;
    rows_.values = values_;
    CONVOY_RETURN_IF_ERROR(cache_.Add(rows_));
    rows_ = {};
    ids_.clear();
    fields_.clear();
    values_.clear();
    return absl::OkStatus();
  }

  IdCacheWriter cache_;
  IdRows rows_;  // the spans are set by Flush
  std::vector<uint64_t> ids_;
  std::vector<uint16_t> fields_;
  std::vector<float> values_;
};

// A file, and how its rows are read.
struct EncodedFile {
  std::unique_ptr<CsvFile> file;
  ColumnMap map;
  bool labelled = false;
};

absl::StatusOr<EncodedFile> OpenEncoded(std::unique_ptr<ByteSource> source, const std::string& name,
                                        const CsvEncoding& encoding) {
  EncodedFile opened;
  CONVOY_ASSIGN_OR_RETURN(
      opened.file,
      CsvFile::Open(std::move(source), name, LayoutOf(*encoding.schema), encoding.max_bad_lines));
  CONVOY_ASSIGN_OR_RETURN(opened.map, MapColumns(*opened.file, *encoding.schema));
  opened.labelled = encoding.read_labels && opened.map.label.has_value();
  return opened;
}

absl::StatusOr<CsvSummary> EncodeRows(const EncodedFile& opened, const v1::Schema& schema,
                                      absl::FunctionRef<absl::Status(const SparseRow&)> sink) {
  const RowEncoder encoder(schema, opened.map, opened.labelled);
  CsvSummary summary;
  summary.labelled = opened.labelled;
  SparseRow encoded;
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const CsvRecord* const row, opened.file->Next());
    if (row == nullptr) break;
    encoded.Clear();
    if (const std::string problem = encoder.Encode(*row, &encoded); !problem.empty()) {
      CONVOY_RETURN_IF_ERROR(opened.file->Reject(*row, problem));
      continue;
    }
    CONVOY_RETURN_IF_ERROR(sink(encoded));
    ++summary.rows;
    summary.entries += encoded.values.size();
  }
  if (summary.rows == 0 || summary.rows > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(opened.file->name(), ": expected 1 to 2^32 - 1 rows, got ", summary.rows));
  }
  summary.bad_lines = opened.file->bad_lines();
  summary.first_bad_line = opened.file->first_bad_line_number();
  return summary;
}

CacheHeader Describe(const v1::Schema& schema, const CsvSummary& summary) {
  CacheHeader header;
  header.kind = schema.sparse() ? CacheKind::kSparse : CacheKind::kDense;
  header.element = CacheElement::kFloat32;
  header.examples = summary.rows;
  header.features = schema.features();
  header.labelled = summary.labelled;
  header.bad_lines = summary.bad_lines;
  header.first_bad_line = summary.first_bad_line;
  header.entries = schema.sparse() ? summary.entries : summary.rows * schema.features();
  if (!schema.sparse()) header.shape = {1, 1, header.features};
  return header;
}

absl::StatusOr<CacheHeader> WriteIds(const EncodedFile& opened, const v1::Schema& schema,
                                     CacheWriter* writer) {
  IdRowWriter rows(opened.labelled, writer);
  CONVOY_ASSIGN_OR_RETURN(
      const CsvSummary encoded,
      EncodeRows(opened, schema, [&](const SparseRow& row) { return rows.Add(row); }));
  IdSummary summary;
  summary.rows = encoded.rows;
  summary.entries = encoded.entries;
  summary.fields = static_cast<uint64_t>(schema.column_size());
  summary.bad_lines = encoded.bad_lines;
  summary.first_bad_line = encoded.first_bad_line;
  return rows.Finish(summary, opened.file->name());
}

}  // namespace

absl::StatusOr<CsvSummary> EncodeCsv(std::unique_ptr<ByteSource> source, const std::string& name,
                                     const CsvEncoding& encoding,
                                     absl::FunctionRef<absl::Status(const SparseRow&)> sink) {
  CONVOY_ASSIGN_OR_RETURN(const EncodedFile opened, OpenEncoded(std::move(source), name, encoding));
  return EncodeRows(opened, *encoding.schema, sink);
}

absl::StatusOr<CacheHeader> WriteCsv(std::unique_ptr<ByteSource> source, const std::string& name,
                                     const CsvEncoding& encoding, CacheWriter* writer) {
  CONVOY_ASSIGN_OR_RETURN(const EncodedFile opened, OpenEncoded(std::move(source), name, encoding));
  if (encoding.schema->ids()) return WriteIds(opened, *encoding.schema, writer);
  RowWriter rows(*encoding.schema, opened.labelled, writer);
  CONVOY_ASSIGN_OR_RETURN(
      const CsvSummary summary,
      EncodeRows(opened, *encoding.schema, [&](const SparseRow& row) { return rows.Add(row); }));
  CONVOY_RETURN_IF_ERROR(rows.Flush());
  return Describe(*encoding.schema, summary);
}

}  // namespace convoy
