#include "worker/data/csv/schema_layout.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/cache_format.h"

namespace convoy {
namespace {

constexpr uint64_t kLeastSparseFeatures = 128;
constexpr uint64_t kSparseFactor = 4;

bool HasIndicator(const v1::NumericTreatment& numeric) {
  return numeric.missing() == v1::CsvColumn::INDICATOR;
}

absl::Status CheckNumeric(const v1::NumericTreatment& numeric) {
  if (!std::isfinite(numeric.mean()) || !std::isfinite(numeric.missing_number())) {
    return absl::InvalidArgumentError("mean and missing_number must be finite");
  }
  const bool scaled = numeric.transform() != v1::CsvColumn::BUCKET;
  if (scaled && !(std::isfinite(numeric.deviation()) && numeric.deviation() > 0)) {
    return absl::InvalidArgumentError("deviation must be > 0");
  }
  for (int i = 0; i < numeric.edge_size(); ++i) {
    if (!std::isfinite(numeric.edge(i)) || (i > 0 && numeric.edge(i) <= numeric.edge(i - 1))) {
      return absl::InvalidArgumentError("edge must be ascending");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDictionary(const v1::DictionaryTreatment& dictionary) {
  const std::set<std::string> different(dictionary.category().begin(), dictionary.category().end());
  if (different.size() == static_cast<size_t>(dictionary.category_size())) return absl::OkStatus();
  return absl::InvalidArgumentError("a category comes twice");
}

absl::Status CheckIds(const v1::IdTreatment& id) {
  if (id.separator().size() > 1) {
    return absl::InvalidArgumentError("separator must be one character or none");
  }
  const v1::CsvColumn::Missing missing = id.missing();
  if (missing == v1::CsvColumn::ZERO || missing == v1::CsvColumn::ERROR ||
      (missing == v1::CsvColumn::CATEGORY && id.from() == v1::CsvColumn::TEXT)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("missing must be ZERO, ERROR or, for TEXT, CATEGORY");
}

absl::Status CheckColumn(const v1::FeatureColumn& column) {
  switch (column.treatment_case()) {
    case v1::FeatureColumn::kNumeric:
      return CheckNumeric(column.numeric());
    case v1::FeatureColumn::kDictionary:
      return CheckDictionary(column.dictionary());
    case v1::FeatureColumn::kHash:
      if (column.hash().buckets() > 0) return absl::OkStatus();
      return absl::InvalidArgumentError("buckets must be >= 1");
    case v1::FeatureColumn::kId:
      return CheckIds(column.id());
    case v1::FeatureColumn::TREATMENT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("expected one of numeric, dictionary, hash, id");
}

// A name and a place that no other column has.
class FieldPlaces {
 public:
  explicit FieldPlaces(const v1::Schema& schema) : schema_(schema) {}

  absl::Status Add(const std::string& name, uint32_t number) {
    if (name.empty() || !names_.insert(name).second) {
      return absl::InvalidArgumentError("its name is missing or comes twice");
    }
    if (number == 0 || number > schema_.fields() || !numbers_.insert(number).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("number must be from 1 to ", schema_.fields(), ", each once, got ", number));
    }
    return absl::OkStatus();
  }

 private:
  const v1::Schema& schema_;
  std::set<std::string> names_;
  std::set<uint32_t> numbers_;
};

// An earlier column of this name has the place, and room for more.
absl::Status CheckMore(const v1::Schema& schema, int index) {
  const v1::FeatureColumn& column = schema.column(index);
  const v1::DictionaryTreatment& dictionary = column.dictionary();
  const bool plain = column.has_dictionary() && !dictionary.missing_feature() &&
                     !dictionary.unknown_feature() && dictionary.missing() == v1::CsvColumn::ZERO;
  for (int i = 0; i < index && plain; ++i) {
    const v1::FeatureColumn& before = schema.column(i);
    if (before.name() == column.name() && before.number() == column.number() && !before.more() &&
        before.has_dictionary()) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      "more: expected categories of an earlier column that is a dictionary");
}

absl::Status CheckColumns(const v1::Schema& schema) {
  FieldPlaces places(schema);
  const v1::LabelColumn& label = schema.label();
  CONVOY_RETURN_IF_ERROR(Annotate(places.Add(label.name(), label.number()),
                                  absl::StrCat("label \"", label.name(), "\"")));
  for (int i = 0; i < schema.column_size(); ++i) {
    const v1::FeatureColumn& column = schema.column(i);
    const std::string where = absl::StrCat("column \"", column.name(), "\"");
    const absl::Status placed =
        column.more() ? CheckMore(schema, i) : places.Add(column.name(), column.number());
    CONVOY_RETURN_IF_ERROR(Annotate(placed, where));
    CONVOY_RETURN_IF_ERROR(Annotate(CheckColumn(column), where));
  }
  return absl::OkStatus();
}

bool HasIds(const v1::Schema& schema) {
  return std::any_of(schema.column().begin(), schema.column().end(),
                     [](const v1::FeatureColumn& column) { return column.has_id(); });
}

// Each column is a field.
absl::Status LayOutIds(v1::Schema* schema) {
  if (static_cast<uint64_t>(schema->column_size()) > kMaxFields) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected at most ", kMaxFields, " columns beside ids, got ", schema->column_size()));
  }
  for (v1::FeatureColumn& column : *schema->mutable_column()) column.clear_first_feature();
  schema->set_features(0);
  schema->set_sparse(true);
  schema->set_ids(true);
  return absl::OkStatus();
}

}  // namespace

uint64_t FeatureWidth(const v1::FeatureColumn& column) {
  if (column.has_id()) return 0;
  if (column.has_numeric()) {
    const v1::NumericTreatment& numeric = column.numeric();
    const bool bucket = numeric.transform() == v1::CsvColumn::BUCKET;
    return (bucket ? static_cast<uint64_t>(numeric.edge_size()) : 0) + 1 + HasIndicator(numeric);
  }
  if (column.has_hash()) return column.hash().buckets();
  const v1::DictionaryTreatment& dictionary = column.dictionary();
  return static_cast<uint64_t>(dictionary.category_size()) + dictionary.missing_feature() +
         dictionary.unknown_feature();
}

uint64_t MostNonzeros(const v1::FeatureColumn& column) {
  const bool two = column.has_numeric() && HasIndicator(column.numeric()) &&
                   column.numeric().transform() != v1::CsvColumn::BUCKET;
  return two ? 2 : 1;
}

absl::Status LayOutFeatures(v1::Schema* schema) {
  if (HasIds(*schema)) return LayOutIds(schema);
  schema->clear_ids();
  uint64_t features = 0, nonzeros = 0;
  for (v1::FeatureColumn& column : *schema->mutable_column()) {
    column.set_first_feature(static_cast<uint32_t>(features));
    features += FeatureWidth(column);
    nonzeros += MostNonzeros(column);
    if (features > kMaxSchemaFeatures) {
      return absl::InvalidArgumentError(
          absl::StrCat("the columns have more than ", kMaxSchemaFeatures,
                       " features; lower data.csv.max_categories or set data.csv.hash_buckets"));
    }
  }
  if (features == 0) {
    return absl::InvalidArgumentError(
        "there is no column to learn from: all but the label are empty or ignored");
  }
  schema->set_features(static_cast<uint32_t>(features));
  schema->set_sparse(features >= kLeastSparseFeatures && nonzeros * kSparseFactor <= features);
  return absl::OkStatus();
}

absl::Status CheckSchema(const v1::Schema& schema) {
  if (schema.version() != kSchemaVersion) {
    return absl::InvalidArgumentError(absl::StrCat("version: expected ", kSchemaVersion, ", got ",
                                                   schema.version(), ": another Convoy wrote it"));
  }
  if (schema.separator().size() != 1) {
    return absl::InvalidArgumentError("separator must be one character");
  }
  CONVOY_RETURN_IF_ERROR(CheckColumns(schema));
  v1::Schema again = schema;
  CONVOY_RETURN_IF_ERROR(LayOutFeatures(&again));
  if (again.SerializeAsString() == schema.SerializeAsString()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "features, sparse or first_feature do not follow from the columns");
}

}  // namespace convoy
