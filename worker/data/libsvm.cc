#include "worker/data/libsvm.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/decimal.h"
#include "worker/data/line_blocks.h"
#include "worker/data/text_line.h"

namespace convoy {
namespace {

constexpr size_t kBytesPerEntry = 4;  // " 1:1"
constexpr uint64_t kMaxIndex = std::numeric_limits<uint32_t>::max();

}  // namespace

absl::Status LibsvmParser::ParseValue(const char** cursor, const char* what, float* value) const {
  const char* const token = *cursor;
  const DecimalResult result = ParseDecimal(cursor, value);
  if (result == DecimalResult::kOk) return absl::OkStatus();
  if (result == DecimalResult::kNotANumber) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": expected a number, got ", QuotedToken(token)));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": expected a finite float32, got ", QuotedToken(token)));
}

absl::Status LibsvmParser::CheckIndex(const char* token, uint64_t index, int64_t previous) const {
  if (index < base_) {
    return absl::InvalidArgumentError(
        "index 0: indices start at 1 (data.zero_based: true if they start at 0)");
  }
  if (index > kMaxIndex) {
    return absl::InvalidArgumentError(
        absl::StrCat("index ", QuotedToken(token), ": the largest possible is ", kMaxIndex));
  }
  const int64_t column = static_cast<int64_t>(index) - base_;
  if (column > previous) return absl::OkStatus();
  if (column == previous)
    return absl::InvalidArgumentError(absl::StrCat("index ", index, " comes twice"));
  return absl::InvalidArgumentError(absl::StrCat("index ", index, " comes after ", previous + base_,
                                                 "; indices must ascend within a line"));
}

absl::Status LibsvmParser::ParseEntry(const char** cursor, int64_t* previous) {
  const char* const token = *cursor;
  uint64_t index = 0;
  const char* end = token;
  for (; IsDigit(*end); ++end) {
    index = std::min(index * 10 + static_cast<uint64_t>(*end - '0'), kMaxIndex + 1);
  }
  if (end == token || *end != ':') {
    if (std::strncmp(token, "qid:", 4) == 0) {
      return absl::InvalidArgumentError(
          "qid is not supported (ranking data); remove it from the file");
    }
    return absl::InvalidArgumentError(
        absl::StrCat("expected index:value, got ", QuotedToken(token)));
  }
  if (const int64_t column = static_cast<int64_t>(index) - base_;
      column <= *previous || index > kMaxIndex) [[unlikely]] {
    return CheckIndex(token, index, *previous);
  }
  *previous = static_cast<int64_t>(index) - base_;
  *cursor = end + 1;
  float value = 0;
  if (ParseDecimal(cursor, &value) != DecimalResult::kOk) [[unlikely]] {
    return ParseValue(cursor, absl::StrCat("value of index ", index).c_str(), &value);
  }
  columns_[filled_] = static_cast<uint32_t>(*previous);
  values_[filled_++] = value;
  return absl::OkStatus();
}

absl::Status LibsvmParser::ParseLine(const char* at) {
  float label = 0;
  CONVOY_RETURN_IF_ERROR(ParseValue(&at, "label", &label));
  int64_t previous = -1;
  for (at = SkipBlanks(at); !AtLineEnd(at); at = SkipBlanks(at)) {
    CONVOY_RETURN_IF_ERROR(ParseEntry(&at, &previous));
  }
  rows_.labels.push_back(label);
  rows_.row_ends.push_back(static_cast<int64_t>(filled_));
  if (const uint64_t columns = static_cast<uint64_t>(previous + 1); columns > summary_.columns) {
    summary_.columns = columns;
    summary_.columns_line = line_;
  }
  return absl::OkStatus();
}

absl::StatusOr<const LibsvmRows*> LibsvmParser::Parse(std::span<const char> lines) {
  rows_.labels.clear();
  rows_.row_ends.clear();
  filled_ = 0;
  if (const size_t room = lines.size() / kBytesPerEntry + 1; columns_.size() < room) {
    columns_.resize(room);
    values_.resize(room);
  }
  for (const char* cursor = lines.data(); cursor != lines.data() + lines.size();) {
    ++line_;
    cursor = SkipBlanks(cursor);
    if (const size_t before = filled_; !AtLineEnd(cursor)) {
      if (const absl::Status status = ParseLine(cursor); !status.ok()) [[unlikely]] {
        filled_ = before;
        CONVOY_RETURN_IF_ERROR(bad_lines_.Reject(line_, std::string(status.message())));
      }
    }
    cursor = AfterLine(cursor);
  }
  summary_.rows += rows_.labels.size();
  summary_.entries += filled_;
  summary_.bad_lines = bad_lines_.count();
  summary_.first_bad_line = bad_lines_.first_line();
  rows_.columns = std::span(columns_).first(filled_);
  rows_.values = std::span(values_).first(filled_);
  return &rows_;
}

absl::StatusOr<LibsvmSummary> ReadLibsvm(ByteSource& source, const std::string& name,
                                         const LibsvmOptions& options,
                                         absl::FunctionRef<absl::Status(const LibsvmRows&)> sink) {
  LibsvmParser parser(name, options);
  LineBlocks blocks(source, name);
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const char> lines, blocks.Next(parser.lines() + 1));
    if (lines.empty()) break;
    CONVOY_ASSIGN_OR_RETURN(const LibsvmRows* const rows, parser.Parse(lines));
    CONVOY_RETURN_IF_ERROR(sink(*rows));
  }
  if (parser.summary().rows == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": no examples in ", parser.lines(), " lines",
                     parser.bad_lines().count() > 0 ? "; bad: " : "", parser.bad_lines().first()));
  }
  return parser.summary();
}

}  // namespace convoy
