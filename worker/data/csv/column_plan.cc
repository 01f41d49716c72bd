#include "worker/data/csv/column_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/suggest.h"
#include "common/status.h"

namespace convoy {
namespace {

using Kind = ColumnPlan::Kind;

constexpr size_t kShownColumns = 30;

// The type that the settings of a column amount to; those of one type name the type.
v1::CsvColumn::Type TypeOf(const v1::CsvColumn& column) {
  if (column.type() != v1::CsvColumn::SNIFF) return column.type();
  if (column.has_id_from() || column.has_value_separator()) return v1::CsvColumn::ID;
  if (column.has_transform() || column.has_buckets()) return v1::CsvColumn::NUMERIC;
  if (column.has_hash_buckets()) return v1::CsvColumn::CATEGORICAL;
  switch (column.missing()) {
    case v1::CsvColumn::INDICATOR:
      return v1::CsvColumn::NUMERIC;
    case v1::CsvColumn::CATEGORY:
      return v1::CsvColumn::CATEGORICAL;
    case v1::CsvColumn::MEAN:
      return column.has_missing() ? v1::CsvColumn::NUMERIC : v1::CsvColumn::SNIFF;
    default:
      return v1::CsvColumn::SNIFF;
  }
}

bool MostlyNumbers(const SniffedColumn& values, const v1::Csv& settings) {
  return values.texts <= settings.max_bad_lines() && values.numbers > values.texts;
}

Kind FeatureKind(const SniffedColumn& values, v1::CsvColumn::Type type, const v1::Csv& settings,
                 const ColumnPlan& plan) {
  switch (type) {
    case v1::CsvColumn::IGNORE:
      return Kind::kIgnored;
    case v1::CsvColumn::NUMERIC:
      return Kind::kNumeric;
    case v1::CsvColumn::CATEGORICAL:
      return plan.categorical();
    case v1::CsvColumn::ID:
      return Kind::kId;
    case v1::CsvColumn::SNIFF:
      break;
  }
  if (values.numbers == 0 && values.texts == 0) return Kind::kByFirstValue;
  return MostlyNumbers(values, settings) ? Kind::kNumeric : plan.categorical();
}

Kind LabelKind(const SniffedColumn& values, const v1::Csv& settings) {
  switch (settings.label_type()) {
    case v1::Csv::CLASS:
      return Kind::kClass;
    case v1::Csv::NUMBER:
      return Kind::kTarget;
    case v1::Csv::BY_MODEL:
      break;
  }
  return MostlyNumbers(values, settings) ? Kind::kTarget : Kind::kClass;
}

v1::IdTreatment TreatmentOfIds(const v1::CsvColumn& column, const v1::Csv& settings) {
  v1::IdTreatment id;
  const bool number = column.id_from() == v1::CsvColumn::NUMBER;
  id.set_from(column.id_from());
  id.set_missing(column.has_missing() ? column.missing()
                 : number && settings.missing_category() == v1::CsvColumn::CATEGORY
                     ? v1::CsvColumn::ERROR
                     : settings.missing_category());
  if (column.has_value_separator()) id.set_separator(column.value_separator());
  return id;
}

ColumnPlan PlanOf(const std::string& name, const SniffedColumn& values, const v1::CsvColumn& column,
                  const v1::Csv& settings) {
  ColumnPlan plan;
  plan.name = name;
  plan.transform = column.has_transform() ? column.transform()
                   : column.has_buckets() ? v1::CsvColumn::BUCKET
                                          : settings.transform();
  plan.buckets = column.has_buckets() ? column.buckets() : settings.buckets();
  plan.hash_buckets = column.has_hash_buckets() ? column.hash_buckets() : settings.hash_buckets();
  plan.missing_number = column.has_missing() ? column.missing() : settings.missing_number();
  plan.missing_category = column.has_missing() ? column.missing() : settings.missing_category();
  plan.id = TreatmentOfIds(column, settings);
  if (name.empty()) return plan;
  plan.kind = name == settings.label() ? LabelKind(values, settings)
                                       : FeatureKind(values, TypeOf(column), settings, plan);
  return plan;
}

const v1::CsvColumn& SettingsOf(const std::string& name, const v1::Csv& settings) {
  for (const v1::CsvColumn& column : settings.column()) {
    if (column.name() == name) return column;
  }
  return v1::CsvColumn::default_instance();
}

absl::Status CheckNames(const CsvFile& file, const v1::Csv& settings) {
  const auto missing = [&](const std::string& name) {
    return name.empty() ||
           std::find(file.columns().begin(), file.columns().end(), name) == file.columns().end();
  };
  if (missing(settings.label())) return NoSuchColumn(file, settings.label(), "data.csv.label");
  for (const v1::CsvColumn& column : settings.column()) {
    if (missing(column.name())) return NoSuchColumn(file, column.name(), "data.csv.column");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status NoSuchColumn(const CsvFile& file, const std::string& column, const std::string& what) {
  const std::vector<std::string>& names = file.columns();
  std::string list = absl::StrJoin(
      names.begin(), names.begin() + static_cast<int64_t>(std::min(names.size(), kShownColumns)),
      ", ");
  if (names.size() > kShownColumns) list += ", ...";
  return absl::InvalidArgumentError(absl::StrCat(
      file.name(), ": there is no column \"", column, "\" (", what, ")", DidYouMean(column, names),
      file.header() ? " Its columns: " : " It has no header, so that columns are numbers: ", list));
}

absl::StatusOr<std::vector<ColumnPlan>> PlanColumns(const CsvFile& file,
                                                    std::span<const SniffedColumn> sniffed,
                                                    const v1::Csv& settings) {
  CONVOY_RETURN_IF_ERROR(CheckNames(file, settings));
  std::vector<ColumnPlan> plans;
  for (size_t i = 0; i < file.columns().size(); ++i) {
    const std::string& name = file.columns()[i];
    plans.push_back(PlanOf(name, sniffed[i], SettingsOf(name, settings), settings));
  }
  return plans;
}

}  // namespace convoy
