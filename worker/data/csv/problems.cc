#include "worker/data/csv/problems.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace convoy {
namespace {
constexpr size_t kShownBytes = 40;
}  // namespace

std::string QuotedValue(std::string_view value) {
  const std::string shown =
      absl::Utf8SafeCHexEscape({value.data(), std::min(value.size(), kShownBytes)});
  return absl::StrCat("\"", shown, value.size() > kShownBytes ? "...\"" : "\"");
}

std::string NotANumber(const std::string& column, std::string_view value) {
  return absl::StrCat(
      "column \"", column, "\": expected a number (finite, as a float32), got ", QuotedValue(value),
      "; if it stands for a missing value, add it to data.csv.missing_value; if the column is "
      "no number, set data.csv.column { name: \"",
      column, "\" type: CATEGORICAL }");
}

std::string ValueIsMissing(const std::string& column) {
  return absl::StrCat("column \"", column, "\": the value is missing (missing: ERROR)");
}

std::string LabelIsMissing(const std::string& column) {
  return absl::StrCat("column \"", column, "\": the label is missing");
}

}  // namespace convoy
