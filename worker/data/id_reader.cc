#include "worker/data/id_reader.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/line_blocks.h"
#include "worker/data/text_line.h"

namespace convoy {

uint64_t HashedId(std::string_view text, uint64_t name) {
  return XXH3_64bits_withSeed(text.data(), text.size(), name) >> 1;
}

absl::StatusOr<const IdRows*> IdParser::Parse(std::span<const char> lines) {
  rows_.labels.clear();
  rows_.row_ends.clear();
  filled_ = 0;
  MakeRoom(lines.size() / least_bytes_ + 1);
  for (const char* line = lines.data(); line != lines.data() + lines.size();
       line = AfterLine(line)) {
    ++line_;
    if (IsNoExample(line)) continue;
    if (const absl::Status status = AddLine(line); !status.ok()) [[unlikely]] {
      filled_ = line_begin_;
      CONVOY_RETURN_IF_ERROR(bad_lines_.Reject(line_, std::string(status.message())));
    }
  }
  summary_.rows += rows_.labels.size();
  summary_.entries += filled_;
  summary_.bad_lines = bad_lines_.count();
  summary_.first_bad_line = bad_lines_.first_line();
  rows_.ids = std::span(ids_).first(filled_);
  rows_.fields = std::span(fields_).first(filled_);
  rows_.values = std::span(values_).first(filled_);
  return &rows_;
}

void IdParser::MakeRoom(size_t entries) {
  if (ids_.size() >= entries) return;
  ids_.resize(entries);
  fields_.resize(entries);
  values_.resize(entries);
}

absl::Status IdParser::AddLine(const char* line) {
  line_begin_ = filled_;
  float label = 0;
  CONVOY_RETURN_IF_ERROR(ParseLine(line, &label));
  rows_.labels.push_back(label);
  rows_.row_ends.push_back(static_cast<int64_t>(filled_));
  if (has_fields_) NoteFields();
  return absl::OkStatus();
}

void IdParser::NoteFields() {
  uint16_t largest = 0;
  for (const uint16_t field : line_fields()) largest = std::max(largest, field);
  if (line_begin_ == filled_ || largest < summary_.fields) return;
  summary_.fields = uint64_t{largest} + 1;
  summary_.fields_line = line_;
}

absl::StatusOr<IdSummary> ReadIds(ByteSource& source, IdParser& parser,
                                  absl::FunctionRef<absl::Status(const IdRows&)> sink) {
  const std::string& name = parser.bad_lines().name();
  LineBlocks blocks(source, name);
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const char> lines, blocks.Next(parser.lines() + 1));
    if (lines.empty()) break;
    CONVOY_ASSIGN_OR_RETURN(const IdRows* const rows, parser.Parse(lines));
    CONVOY_RETURN_IF_ERROR(sink(*rows));
  }
  if (parser.summary().rows > 0) return parser.summary();
  const BadLines& bad = parser.bad_lines();
  return absl::InvalidArgumentError(absl::StrCat(name, ": no examples in ", parser.lines(),
                                                 " lines", bad.count() > 0 ? "; bad: " : "",
                                                 bad.first()));
}

}  // namespace convoy
