#include "worker/data/criteo.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/csv/problems.h"

namespace convoy {
namespace {

constexpr int kLineColumns = 1 + kCriteoFields;
constexpr size_t kLeastBytes = 1;  // the tab before an empty column
constexpr size_t kMostNumberDigits = 18;
constexpr size_t kMostHexDigits = 16;
constexpr int64_t kLargestSpecial = 2;

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Errors call columns by their place in the file, from 1.
absl::Status WrongColumn(int field, const char* wanted, std::string_view got) {
  return absl::InvalidArgumentError(absl::StrCat("column ", field + 2, ": expected ", wanted,
                                                 " or nothing, got ", QuotedValue(got)));
}

// The end of the column that begins at `at`: a tab or the end of the line.
const char* ColumnEnd(const char* at) {
  while (*at != '\t' && *at != '\n') ++at;
  return at;
}

// Without the carriage return at the end of a line.
std::string_view ColumnText(const char* begin, const char* end) {
  const bool carriage_return = *end == '\n' && end != begin && end[-1] == '\r';
  return {begin, static_cast<size_t>(end - begin) - carriage_return};
}

absl::Status WrongColumns(const char* line) {
  const char* const end = static_cast<const char*>(::rawmemchr(line, '\n'));
  return absl::InvalidArgumentError(absl::StrCat(
      "expected ", kLineColumns, " columns between tabs (label, 13 numbers, 26 categories), got ",
      std::count(line, end, '\t') + 1));
}

}  // namespace

std::string CriteoNumberToken(int64_t x) {
  if (x <= kLargestSpecial) return absl::StrCat("SP", x);
  const double log = std::log(static_cast<double>(x));
  return absl::StrCat(static_cast<int64_t>(log * log));
}

CriteoParser::CriteoParser(std::string name, uint64_t max_bad_lines)
    : IdParser(std::move(name), max_bad_lines, kLeastBytes, /*has_fields=*/true) {}

bool CriteoParser::IsNoExample(const char* line) const {
  return *line == '\n' || (line[0] == '\r' && line[1] == '\n');
}

absl::Status CriteoParser::ParseLine(const char* line, float* label) {
  const char* begin = line;
  for (int column = 0; column < kLineColumns; ++column) {
    const char* const end = ColumnEnd(begin);
    if ((*end == '\n') != (column == kLineColumns - 1)) return WrongColumns(line);
    const std::string_view text = ColumnText(begin, end);
    const int field = column - 1;
    CONVOY_RETURN_IF_ERROR(column == 0              ? ParseLabel(text, label)
                           : field < kCriteoNumbers ? AddNumber(field, text)
                                                    : AddCategory(field, text));
    begin = end + 1;
  }
  return absl::OkStatus();
}

absl::Status CriteoParser::ParseLabel(std::string_view text, float* label) {
  if (text != "0" && text != "1") {
    return absl::InvalidArgumentError(
        absl::StrCat("column 1: expected the label 0 or 1, got ", QuotedValue(text)));
  }
  *label = static_cast<float>(text[0] - '0');
  return absl::OkStatus();
}

absl::Status CriteoParser::AddNumber(int field, std::string_view text) {
  int64_t x = 0;
  std::string token;
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
    const size_t digits = text.size() - (text[0] == '-');
    if (error != std::errc() || end != text.data() + text.size() || digits > kMostNumberDigits) {
      return WrongColumn(field, "a whole number of at most 18 digits", text);
    }
    token = CriteoNumberToken(x);
  }
  Add(HashedId(token, static_cast<uint64_t>(field)), static_cast<uint16_t>(field), 1);
  return absl::OkStatus();
}

absl::Status CriteoParser::AddCategory(int field, std::string_view text) {
  if (text.size() > kMostHexDigits || !std::ranges::all_of(text, IsHexDigit)) {
    return WrongColumn(field, "at most 16 hexadecimal digits", text);
  }
  Add(HashedId(text, static_cast<uint64_t>(field)), static_cast<uint16_t>(field), 1);
  return absl::OkStatus();
}

}  // namespace convoy
