#include "worker/data/csv/row_encoder.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "absl/strings/str_cat.h"
#include "worker/data/cache_format.h"
#include "worker/data/csv/column_statistics.h"
#include "worker/data/csv/csv_number.h"
#include "worker/data/csv/id_values.h"
#include "worker/data/csv/problems.h"
#include "worker/data/id_reader.h"

namespace convoy {
namespace {

constexpr int kNamedClasses = 10;

template <typename Strings>
StringMap<uint32_t> Numbered(const Strings& strings) {
  StringMap<uint32_t> numbers;
  for (const std::string& string : strings) {
    numbers.emplace(string, static_cast<uint32_t>(numbers.size()));
  }
  return numbers;
}

float Finite(double value) {
  constexpr double kMax = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kMax, kMax));
}

void AddBucket(const v1::NumericTreatment& numeric, double x, uint32_t first, SparseRow* out) {
  const auto bucket = std::upper_bound(numeric.edge().begin(), numeric.edge().end(), x);
  out->Add(first + static_cast<uint32_t>(bucket - numeric.edge().begin()), 1);
}

std::string UnknownClass(const v1::LabelColumn& label, std::string_view value) {
  std::string names;
  for (int i = 0; i < std::min(kNamedClasses, label.class_name_size()); ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", label.class_name(i));
  }
  return absl::StrCat("column \"", label.name(), "\": ", QuotedValue(value), " is none of the ",
                      label.class_name_size(), " classes of the training data: ", names,
                      label.class_name_size() > kNamedClasses ? ", ..." : "");
}

}  // namespace

RowEncoder::RowEncoder(const v1::Schema& schema, const ColumnMap& map, bool with_label)
    : schema_(schema),
      missing_(schema.missing_value()),
      label_(with_label ? map.label : std::nullopt),
      classes_(Numbered(schema.label().class_name())) {
  for (int i = 0; i < schema_.column_size(); ++i) {
    const v1::FeatureColumn& column = schema_.column(i);
    columns_.push_back({map.features[static_cast<size_t>(i)], &column,
                        Numbered(column.dictionary().category()), NameHash(column.name())});
  }
}

std::string RowEncoder::Encode(const CsvRecord& row, SparseRow* out) const {
  std::string problem;
  if (label_) problem = EncodeLabel(row.fields[*label_], &out->label);
  for (size_t i = 0; i < columns_.size() && problem.empty(); ++i) {
    const Column& column = columns_[i];
    const std::string_view field = row.fields[column.field];
    switch (column.schema->treatment_case()) {
      case v1::FeatureColumn::kNumeric:
        problem = EncodeNumeric(column, field, out);
        break;
      case v1::FeatureColumn::kDictionary:
        problem = EncodeDictionary(column, field, out);
        break;
      case v1::FeatureColumn::kId:
        problem = EncodeIds(column, field, out);
        break;
      default:
        problem = EncodeHash(column, field, out);
    }
    if (schema_.ids()) TurnIntoIds(column, static_cast<uint16_t>(i), out);
  }
  return problem;
}

std::string RowEncoder::EncodeLabel(std::string_view field, float* label) const {
  double number = 0;
  if (missing_.Contains(field)) return LabelIsMissing(schema_.label().name());
  if (classes_.empty()) {
    if (!ParseNumber(field, &number)) return NotANumber(schema_.label().name(), field);
    *label = static_cast<float>(number);
    return "";
  }
  const auto found = classes_.find(field);
  if (found == classes_.end()) return UnknownClass(schema_.label(), field);
  *label = static_cast<float>(found->second);
  return "";
}

std::string RowEncoder::EncodeNumeric(const Column& column, std::string_view field,
                                      SparseRow* out) const {
  const v1::NumericTreatment& numeric = column.schema->numeric();
  const uint32_t first = column.schema->first_feature();
  const bool bucket = numeric.transform() == v1::CsvColumn::BUCKET;
  double x = 0;
  bool is_missing = missing_.any_number() && missing_.Contains(field);
  if (!is_missing && !ParseNumber(field, &x)) {
    if (!missing_.Contains(field)) return NotANumber(column.schema->name(), field);
    is_missing = true;
  }
  if (is_missing) {
    if (numeric.missing() == v1::CsvColumn::ERROR) return ValueIsMissing(column.schema->name());
    x = numeric.missing_number();
  } else if (numeric.transform() == v1::CsvColumn::LOG) {
    x = SignedLog(x);
  }
  const bool indicated = is_missing && numeric.missing() == v1::CsvColumn::INDICATOR;
  if (!bucket) {
    out->Add(first, Finite((x - numeric.mean()) / numeric.deviation()));
  } else if (!indicated) {
    AddBucket(numeric, x, first, out);
  }
  if (indicated) out->Add(first + (bucket ? static_cast<uint32_t>(numeric.edge_size()) : 0) + 1, 1);
  return "";
}

std::string RowEncoder::EncodeDictionary(const Column& column, std::string_view field,
                                         SparseRow* out) const {
  const v1::DictionaryTreatment& dictionary = column.schema->dictionary();
  const auto categories = static_cast<uint32_t>(dictionary.category_size());
  const uint32_t first = column.schema->first_feature();
  if (const auto found = column.dictionary.find(field); found != column.dictionary.end()) {
    out->Add(first + found->second, 1);
    return "";
  }
  if (missing_.Contains(field)) {
    if (dictionary.missing() == v1::CsvColumn::ERROR) return ValueIsMissing(column.schema->name());
    if (dictionary.missing() == v1::CsvColumn::ZERO) return "";
    if (dictionary.missing_feature()) {
      out->Add(first + categories, 1);
      return "";
    }
  }
  if (dictionary.unknown_feature()) {
    out->Add(first + categories + dictionary.missing_feature(), 1);
  }
  return "";
}

std::string RowEncoder::EncodeHash(const Column& column, std::string_view field,
                                   SparseRow* out) const {
  const v1::HashTreatment& hash = column.schema->hash();
  if (missing_.Contains(field)) {
    if (hash.missing() == v1::CsvColumn::ERROR) return ValueIsMissing(column.schema->name());
    if (hash.missing() == v1::CsvColumn::ZERO) return "";
    field = "";
  }
  const uint64_t bucket = Checksum({field.data(), field.size()}) % hash.buckets();
  out->Add(column.schema->first_feature() + static_cast<uint32_t>(bucket), 1);
  return "";
}

std::string RowEncoder::EncodeIds(const Column& column, std::string_view field,
                                  SparseRow* out) const {
  const v1::IdTreatment& id = column.schema->id();
  std::string problem;
  if (!missing_.Contains(field)) {
    problem = AppendIds(column.schema->name(), column.name, id, field, &out->ids);
  } else if (id.missing() == v1::CsvColumn::ERROR) {
    problem = ValueIsMissing(column.schema->name());
  } else if (id.missing() == v1::CsvColumn::CATEGORY) {
    out->ids.push_back(HashedId("", column.name));
  }
  out->values.resize(out->ids.size(), 1);
  return problem;
}

// The features of the column become ids; those of an ID column are. All are of one field.
void RowEncoder::TurnIntoIds(const Column& column, uint16_t number, SparseRow* out) {
  for (const uint32_t feature : out->columns) {
    char text[std::numeric_limits<uint32_t>::digits10 + 1];
    const char* const end = std::to_chars(std::begin(text), std::end(text), feature).ptr;
    out->ids.push_back(HashedId({text, static_cast<size_t>(end - std::begin(text))}, column.name));
  }
  out->columns.clear();
  out->fields.resize(out->ids.size(), number);
}

}  // namespace convoy
