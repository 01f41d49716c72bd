#include "common/job/validate_csv.h"

#include <cctype>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/job/field_text.h"
#include "common/job/paths.h"

namespace convoy {
namespace {

using Violations = std::vector<Violation>;

constexpr char kCsv[] = "data.csv";

void Add(Violations* violations, const std::string& path, const std::string& rule,
         bool missing = false) {
  violations->push_back({path, path + rule, missing});
}

bool IsForNumbers(v1::CsvColumn::Missing missing) {
  return missing == v1::CsvColumn::MEAN || missing == v1::CsvColumn::INDICATOR;
}

bool CanSeparate(const std::string& separator) {
  if (separator.size() != 1) return false;
  const auto c = static_cast<unsigned char>(separator[0]);
  return c < 0x80 && c != 0 && !std::isalnum(c) &&
         std::string_view("\"\r\n.+-").find(separator[0]) == std::string_view::npos;
}

void ValidateSeparator(const v1::Data& data, Violations* violations) {
  const std::string path = JoinPath(kCsv, "separator");
  const std::string& separator = data.csv().separator();
  if (!data.csv().has_separator()) return;
  if (!CanSeparate(separator)) {
    Add(violations, path,
        absl::StrCat(" must be one character, no letter, digit, quote, sign or point, got \"",
                     Shown(separator), "\""));
  } else if (data.format() == v1::Data::TSV && separator != "\t") {
    Add(violations, path,
        absl::StrCat(" is \"", Shown(separator), "\", but data.format TSV means tabs; use CSV"));
  }
}

void ValidateFileSettings(const v1::Data& data, Violations* violations) {
  const v1::Csv& csv = data.csv();
  if (csv.label().empty()) {
    Add(violations, JoinPath(kCsv, "label"), " is missing: the name of the column to learn", true);
  }
  ValidateSeparator(data, violations);
  if (csv.missing_number() == v1::CsvColumn::CATEGORY) {
    Add(violations, JoinPath(kCsv, "missing_number"),
        " must be MEAN, ZERO, INDICATOR or ERROR, got CATEGORY");
  }
  if (IsForNumbers(csv.missing_category())) {
    Add(violations, JoinPath(kCsv, "missing_category"),
        absl::StrCat(" must be CATEGORY, ZERO or ERROR, got ",
                     v1::CsvColumn::Missing_Name(csv.missing_category())));
  }
  if (data.has_scale() && data.scale() != 1) {
    Add(violations, "data.scale", " is for IDX and libsvm files; see data.csv.transform");
  }
}

// Settings of a column that say that it is numeric, or categorical: the first of them, or "".
std::string NumericSetting(const v1::CsvColumn& column) {
  if (column.type() == v1::CsvColumn::NUMERIC) return "type NUMERIC";
  if (column.has_transform()) return "transform";
  if (column.has_buckets()) return "buckets";
  return column.has_missing() && IsForNumbers(column.missing())
             ? absl::StrCat("missing ", v1::CsvColumn::Missing_Name(column.missing()))
             : "";
}

std::string CategoricalSetting(const v1::CsvColumn& column) {
  if (column.type() == v1::CsvColumn::CATEGORICAL) return "type CATEGORICAL";
  if (column.has_hash_buckets()) return "hash_buckets";
  return column.missing() == v1::CsvColumn::CATEGORY ? "missing CATEGORY" : "";
}

std::string IdSetting(const v1::CsvColumn& column) {
  if (column.type() == v1::CsvColumn::ID) return "type ID";
  if (column.has_id_from()) return "id_from";
  return column.has_value_separator() ? "value_separator" : "";
}

void ValidateIds(const v1::CsvColumn& column, const std::string& path, const v1::Csv& csv,
                 Violations* violations) {
  if (column.id_from() == v1::CsvColumn::NUMBER && column.has_missing() &&
      column.missing() == v1::CsvColumn::CATEGORY) {
    Add(violations, JoinPath(path, "missing"),
        " must be ZERO or ERROR with id_from NUMBER, got CATEGORY");
  }
  const std::string& separator = column.value_separator();
  if (!column.has_value_separator()) return;
  if (!CanSeparate(separator) || (csv.has_separator() && separator == csv.separator())) {
    Add(violations, JoinPath(path, "value_separator"),
        absl::StrCat(" must be one character, no letter, digit, quote, sign or point, and not that "
                     "between columns, got \"",
                     Shown(separator), "\""));
  }
}

void ValidateColumn(const v1::CsvColumn& column, const std::string& path, const v1::Csv& csv,
                    Violations* violations) {
  const std::string id = IdSetting(column), numeric = NumericSetting(column);
  // An ID may have missing: CATEGORY, too.
  const bool only_missing =
      column.type() != v1::CsvColumn::CATEGORICAL && !column.has_hash_buckets();
  const std::string categorical = !id.empty() && only_missing ? "" : CategoricalSetting(column);
  if (!id.empty() && !(numeric + categorical).empty()) {
    Add(violations, path,
        absl::StrCat(" (\"", Shown(column.name()), "\") can't have both ", id,
                     ", which is for ids, and ", numeric.empty() ? categorical : numeric,
                     ", which is not"));
  }
  if (!id.empty()) ValidateIds(column, path, csv, violations);
  if (!numeric.empty() && !categorical.empty()) {
    Add(violations, path,
        absl::StrCat(" (\"", Shown(column.name()), "\") can't have both ", numeric,
                     ", which is for numbers, and ", categorical, ", which is for categories"));
  }
  if (column.type() == v1::CsvColumn::IGNORE && !(id + numeric + categorical).empty()) {
    Add(violations, path,
        absl::StrCat(" (\"", Shown(column.name()), "\") is ignored, so that ",
                     !id.empty()        ? id
                     : !numeric.empty() ? numeric
                                        : categorical,
                     " has no effect"));
  }
  const bool bucket = column.has_transform() ? column.transform() == v1::CsvColumn::BUCKET : true;
  if (column.has_buckets() && !bucket) {
    Add(violations, JoinPath(path, "buckets"), " goes with transform BUCKET only");
  }
  if (!column.name().empty() && column.name() == csv.label()) {
    Add(violations, path,
        absl::StrCat(" is \"", Shown(column.name()), "\", the label; see data.csv.label_type"));
  }
}

}  // namespace

void ValidateCsv(const v1::Data& data, Violations* violations) {
  const bool wanted = data.format() == v1::Data::CSV || data.format() == v1::Data::TSV;
  if (data.has_csv() && !wanted && data.format() != v1::Data::AUTO) {
    return Add(violations, kCsv,
               absl::StrCat(" is for CSV and TSV files, but data.format is ",
                            v1::Data::Format_Name(data.format())));
  }
  if (!data.has_csv() && !wanted) return;
  ValidateFileSettings(data, violations);
  std::set<std::string> names;
  for (int i = 0; i < data.csv().column_size(); ++i) {
    const v1::CsvColumn& column = data.csv().column(i);
    const std::string path = ElementPath(JoinPath(kCsv, "column"), i);
    if (column.name().empty()) {
      Add(violations, JoinPath(path, "name"), " is missing: the column that is meant", true);
    } else if (!names.insert(column.name()).second) {
      Add(violations, JoinPath(path, "name"),
          absl::StrCat(" is \"", Shown(column.name()), "\" as that of a column before"));
    }
    ValidateColumn(column, path, data.csv(), violations);
  }
}

}  // namespace convoy
