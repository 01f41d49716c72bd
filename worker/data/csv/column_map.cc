#include "worker/data/csv/column_map.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/job/suggest.h"

namespace convoy {
namespace {

std::optional<size_t> Find(const CsvFile& file, const std::string& name) {
  const auto& columns = file.columns();
  const auto at = std::find(columns.begin(), columns.end(), name);
  if (at == columns.end()) return std::nullopt;
  return static_cast<size_t>(at - columns.begin());
}

absl::StatusOr<ColumnMap> MapByName(const CsvFile& file, const v1::Schema& schema) {
  ColumnMap map;
  std::vector<std::string> absent;
  for (const v1::FeatureColumn& column : schema.column()) {
    const std::optional<size_t> field = Find(file, column.name());
    if (!field) {
      absent.push_back(
          absl::StrCat("\"", column.name(), "\"", DidYouMean(column.name(), file.columns())));
    }
    map.features.push_back(field.value_or(0));
  }
  map.label = Find(file, schema.label().name());
  if (absent.empty()) return map;
  return absl::InvalidArgumentError(absl::StrCat(
      file.name(), ": the model was trained on ", absent.size() == 1 ? "a column" : "columns",
      " that this file does not have: ", absl::StrJoin(absent, ", "),
      ". Its header must be divided by \"", schema.separator() == "\t" ? "\\t" : schema.separator(),
      "\" and name the columns of the training data, in any order (schema.json)"));
}

absl::StatusOr<ColumnMap> MapByPlace(const CsvFile& file, const v1::Schema& schema) {
  const size_t fields = file.columns().size();
  const bool labelled = fields == schema.fields();
  if (!labelled && fields + 1 != schema.fields()) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.name(), ": expected ", schema.fields(), " fields as in the training data, or ",
        schema.fields() - 1, " without the label, got ", fields));
  }
  ColumnMap map;
  const uint32_t label = schema.label().number();
  for (const v1::FeatureColumn& column : schema.column()) {
    map.features.push_back(column.number() - 1 - (!labelled && column.number() > label));
  }
  if (labelled) map.label = label - 1;
  return map;
}

}  // namespace

CsvLayout LayoutOf(const v1::Schema& schema) {
  CsvLayout layout;
  layout.dialect.separator = schema.separator()[0];
  layout.dialect.quotes = schema.quotes();
  layout.header = schema.header();
  return layout;
}

absl::StatusOr<ColumnMap> MapColumns(const CsvFile& file, const v1::Schema& schema) {
  return schema.header() ? MapByName(file, schema) : MapByPlace(file, schema);
}

}  // namespace convoy
