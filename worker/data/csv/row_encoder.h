// From the fields of a row to label and features, as a schema says.
#ifndef CONVOY_WORKER_DATA_CSV_ROW_ENCODER_H_
#define CONVOY_WORKER_DATA_CSV_ROW_ENCODER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/schema.pb.h"
#include "worker/data/csv/column_map.h"
#include "worker/data/csv/csv_reader.h"
#include "worker/data/csv/missing_values.h"
#include "worker/data/csv/string_map.h"

namespace convoy {

// Features that are not 0, ascending by column; or ids with their fields, if the schema has ids.
struct SparseRow {
  float label = 0;
  std::vector<uint32_t> columns;
  std::vector<uint64_t> ids;
  std::vector<uint16_t> fields;
  std::vector<float> values;

  void Clear() {
    columns.clear();
    ids.clear();
    fields.clear();
    values.clear();
  }
  void Add(uint32_t column, float value) {
    if (value == 0) return;
    columns.push_back(column);
    values.push_back(value);
  }
};

// Immutable.
class RowEncoder {
 public:
  // `schema` passes CheckSchema. `with_label`: map.label is read.
  RowEncoder(const v1::Schema& schema, const ColumnMap& map, bool with_label);
  RowEncoder(const RowEncoder&) = delete;
  RowEncoder& operator=(const RowEncoder&) = delete;

  // Appends the features of `row` to `out` and sets its label. Returns what is wrong with the row
  // ("": nothing); then `out` has a part of it.
  std::string Encode(const CsvRecord& row, SparseRow* out) const;

 private:
  using Dictionary = StringMap<uint32_t>;

  struct Column {
    size_t field = 0;
    const v1::FeatureColumn* schema = nullptr;  // in schema_
    Dictionary dictionary;
    uint64_t name = 0;  // hash of its name, for ids
  };

  std::string EncodeLabel(std::string_view field, float* label) const;
  std::string EncodeNumeric(const Column& column, std::string_view field, SparseRow* out) const;
  std::string EncodeDictionary(const Column& column, std::string_view field, SparseRow* out) const;
  std::string EncodeHash(const Column& column, std::string_view field, SparseRow* out) const;
  std::string EncodeIds(const Column& column, std::string_view field, SparseRow* out) const;
  static void TurnIntoIds(const Column& column, uint16_t number, SparseRow* out);

  const v1::Schema schema_;
  const MissingValues missing_;
  std::optional<size_t> label_;
  Dictionary classes_;
  std::vector<Column> columns_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_ROW_ENCODER_H_
