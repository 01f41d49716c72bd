#include "worker/data/libsvm.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/decimal.h"

namespace convoy {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kMaxLineBytes = 64 << 20;
constexpr size_t kBytesPerEntry = 4;  // " 1:1"
constexpr uint64_t kMaxIndex = std::numeric_limits<uint32_t>::max();

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

const char* SkipBlanks(const char* cursor) {
  while (IsBlank(*cursor)) ++cursor;
  return cursor;
}

// Whether nothing but a comment is left of the line.
bool AtLineEnd(const char* cursor) {
  return *cursor == '\n' || *cursor == '#' || (cursor[0] == '\r' && cursor[1] == '\n');
}

const char* AfterLine(const char* cursor) {
  return static_cast<const char*>(::rawmemchr(cursor, '\n')) + 1;
}

}  // namespace

absl::Status LibsvmParser::Error(const std::string& what) const {
  return absl::InvalidArgumentError(absl::StrCat(name_, ":", line_, ": ", what));
}

absl::Status LibsvmParser::ParseValue(const char** cursor, const char* what, float* value) const {
  const char* const token = *cursor;
  const DecimalResult result = ParseDecimal(cursor, value);
  if (result == DecimalResult::kOk) return absl::OkStatus();
  if (result == DecimalResult::kNotANumber) {
    return Error(absl::StrCat(what, ": expected a number, got ", QuotedToken(token)));
  }
  return Error(absl::StrCat(what, ": expected a finite float32, got ", QuotedToken(token)));
}

absl::Status LibsvmParser::CheckIndex(const char* token, uint64_t index, int64_t previous) const {
  if (index < base_) {
    return Error("index 0: indices start at 1 (data.zero_based: true if they start at 0)");
  }
  if (index > kMaxIndex) {
    return Error(
        absl::StrCat("index ", QuotedToken(token), ": the largest possible is ", kMaxIndex));
  }
  const int64_t column = static_cast<int64_t>(index) - base_;
  if (column > previous) return absl::OkStatus();
  if (column == previous) return Error(absl::StrCat("index ", index, " comes twice"));
  return Error(absl::StrCat("index ", index, " comes after ", previous + base_,
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
      return Error("qid is not supported (ranking data); remove it from the file");
    }
    return Error(absl::StrCat("expected index:value, got ", QuotedToken(token)));
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

absl::Status LibsvmParser::ParseLine(const char** cursor) {
  ++line_;
  const char* at = SkipBlanks(*cursor);
  if (!AtLineEnd(at)) {
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
  }
  *cursor = AfterLine(at);
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
    CONVOY_RETURN_IF_ERROR(ParseLine(&cursor));
  }
  summary_.rows += rows_.labels.size();
  summary_.entries += filled_;
  rows_.columns = std::span(columns_).first(filled_);
  rows_.values = std::span(values_).first(filled_);
  return &rows_;
}

namespace {

// Cuts a source into blocks of whole lines.
class LineBlocks {
 public:
  LineBlocks(ByteSource& source, const std::string& name) : source_(source), name_(name) {}

  // The next lines, ending with '\n'; empty at the end of the source. `line`: of the next one.
  absl::StatusOr<std::span<const char>> Next(uint64_t line) {
    DropLines();
    while (!ended_) {
      if (filled_ + kBlockBytes > buffer_.size()) buffer_.resize(filled_ + kBlockBytes);
      CONVOY_RETURN_IF_ERROR(Fill());
      if (lines_ > 0) break;
      if (filled_ > kMaxLineBytes) {
        return absl::InvalidArgumentError(absl::StrCat(
            name_, ":", line, ": the line is longer than ", kMaxLineBytes >> 20, " MiB"));
      }
    }
    return std::span<const char>(buffer_).first(lines_);
  }

 private:
  void DropLines() {
    std::copy(buffer_.begin() + static_cast<int64_t>(lines_),
              buffer_.begin() + static_cast<int64_t>(filled_), buffer_.begin());
    filled_ -= lines_;
    lines_ = 0;
  }

  // Adds a block; a last line without an end gets one (there is room: the block was not full).
  absl::Status Fill() {
    const size_t before = filled_;
    CONVOY_ASSIGN_OR_RETURN(const size_t got,
                            source_.Read(std::span(buffer_).subspan(before, kBlockBytes)));
    filled_ += got;
    ended_ = got < kBlockBytes;
    if (ended_ && filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
    const void* const last = ::memrchr(buffer_.data() + before, '\n', filled_ - before);
    if (last != nullptr) {
      lines_ = static_cast<size_t>(static_cast<const char*>(last) - buffer_.data()) + 1;
    }
    return absl::OkStatus();
  }

  ByteSource& source_;
  const std::string& name_;
  std::vector<char> buffer_;
  size_t filled_ = 0;
  size_t lines_ = 0;  // bytes of whole lines handed out
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<LibsvmSummary> ReadLibsvm(ByteSource& source, const std::string& name,
                                         bool zero_based,
                                         absl::FunctionRef<absl::Status(const LibsvmRows&)> sink) {
  LibsvmParser parser(name, zero_based);
  LineBlocks blocks(source, name);
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const std::span<const char> lines, blocks.Next(parser.lines() + 1));
    if (lines.empty()) break;
    CONVOY_ASSIGN_OR_RETURN(const LibsvmRows* const rows, parser.Parse(lines));
    CONVOY_RETURN_IF_ERROR(sink(*rows));
  }
  if (parser.summary().rows == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": no examples in ", parser.lines(), " lines"));
  }
  return parser.summary();
}

}  // namespace convoy
