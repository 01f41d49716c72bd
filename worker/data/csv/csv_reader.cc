#include "worker/data/csv/csv_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status.h"
#include "worker/data/csv/utf8.h"

namespace convoy {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kMaxRecordBytes = 64 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view WithoutBlanks(const char* begin, const char* end) {
  while (begin != end && *begin == ' ') ++begin;
  while (begin != end && end[-1] == ' ') --end;
  return {begin, static_cast<size_t>(end - begin)};
}

bool IsUtf16(std::string_view text) {
  return text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF";
}

}  // namespace

CsvReader::CsvReader(ByteSource* source, std::string name, const CsvDialect& dialect)
    : source_(source), name_(std::move(name)), dialect_(dialect) {
  ends_field_[static_cast<unsigned char>(dialect.separator)] = true;
  ends_field_['\n'] = true;
}

// Reads as much as there is already: a long record is scanned anew only when it has doubled.
absl::Status CsvReader::Fill() {
  std::copy(buffer_.begin() + static_cast<int64_t>(at_),
            buffer_.begin() + static_cast<int64_t>(filled_), buffer_.begin());
  filled_ -= at_;
  at_ = 0;
  const size_t wanted = std::min(std::max(kReadBytes, filled_), kMaxRecordBytes + 1 - filled_);
  buffer_.resize(std::max(buffer_.size(), filled_ + wanted + 1));
  CONVOY_ASSIGN_OR_RETURN(const size_t got,
                          source_->Read(std::span(buffer_).subspan(filled_, wanted)));
  filled_ += got;
  ended_ = got < wanted;
  buffer_[filled_] = '\n';
  return absl::OkStatus();
}

absl::Status CsvReader::Begin() {
  begun_ = true;
  CONVOY_RETURN_IF_ERROR(Fill());
  const std::string_view text(buffer_.data(), filled_);
  if (IsUtf16(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ": the text is UTF-16; convert it with iconv -f utf-16 -t utf-8"));
  }
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) at_ = kByteOrderMark.size();
  return absl::OkStatus();
}

absl::StatusOr<const CsvRecord*> CsvReader::Next() {
  if (!begun_) CONVOY_RETURN_IF_ERROR(Begin());
  while (true) {
    if (at_ == filled_ && ended_) return nullptr;
    if (ScanRecord() == Scan::kIncomplete) {
      if (ended_ || filled_ - at_ > kMaxRecordBytes) return TooLong();
      CONVOY_RETURN_IF_ERROR(Fill());
      continue;
    }
    const bool blank = record_.fields.size() == 1 && record_.fields[0].empty() && !quoted_;
    if (!blank || !record_.problem.empty()) return &record_;
  }
}

absl::Status CsvReader::TooLong() const {
  if (open_quote_line_ != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        name_, ":", open_quote_line_,
        ": the quote that opens here is never closed; if quotes are ordinary characters in this "
        "file, set data.csv.quotes: false"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name_, ":", line_, ": the line is longer than ", kMaxRecordBytes >> 20, " MiB"));
}

CsvReader::Scan CsvReader::ScanRecord() {
  record_.fields.clear();
  record_.problem.clear();
  record_.line = line_;
  breaks_ = 0;
  doubled_.clear();
  quoted_ = false;
  char* const begin = buffer_.data() + at_;
  char* const end = buffer_.data() + filled_;
  char* at = begin;
  for (bool more = true; more; ++at) {
    char* start = at;
    while (*start == ' ' && !Ends(' ')) ++start;
    const bool quoted = dialect_.quotes && *start == '"' && start != end;
    if (quoted) at = start;
    quoted_ = quoted_ || quoted;
    if (!(quoted ? ScanQuoted(&at) : ScanPlain(&at))) return Scan::kIncomplete;
    more = *at != '\n';
  }
  // The line break behind the text is not part of it.
  const char* const text_end = std::min(at, end);
  CheckText(begin, text_end);
  UndoubleQuotes();
  at_ = static_cast<size_t>(text_end - buffer_.data());
  line_ += breaks_ + 1;
  return Scan::kRecord;
}

bool CsvReader::ScanPlain(char** at) {
  char* stop = *at;
  while (!Ends(*stop)) ++stop;
  if (stop == buffer_.data() + filled_ && !ended_) return false;
  const char* last = stop;
  if (*stop == '\n' && last != *at && last[-1] == '\r') --last;
  record_.fields.push_back(WithoutBlanks(*at, last));
  *at = stop;
  return true;
}

// The record may be scanned again when more of it is there: the text stays as it is.
bool CsvReader::ScanQuoted(char** at) {
  char* const end = buffer_.data() + filled_;
  char* const begin = *at + 1;
  const uint64_t breaks_before = breaks_;
  bool doubled = false;
  char* close = begin;
  while (true) {
    close = static_cast<char*>(std::memchr(close, '"', static_cast<size_t>(end - close)));
    if (close == nullptr || (close + 1 == end && !ended_)) {
      open_quote_line_ = line_ + breaks_before;
      return false;
    }
    if (close + 1 == end || close[1] != '"') break;
    doubled = true;
    close += 2;
  }
  open_quote_line_ = 0;
  char* stop = close + 1;
  while (!Ends(*stop)) ++stop;
  if (stop == end && !ended_) return false;
  breaks_ += static_cast<uint64_t>(std::count(begin, close, '\n'));
  const char* rest = stop;
  if (*stop == '\n' && rest[-1] == '\r') --rest;
  if (!WithoutBlanks(close + 1, rest).empty() && record_.problem.empty()) {
    record_.problem =
        absl::StrCat("field ", record_.fields.size() + 1, ": text after the closing quote");
  }
  record_.fields.emplace_back(begin, static_cast<size_t>(close - begin));
  if (doubled) doubled_.push_back(record_.fields.size() - 1);
  *at = stop;
  return true;
}

void CsvReader::UndoubleQuotes() {
  for (const size_t i : doubled_) {
    char* const begin = buffer_.data() + (record_.fields[i].data() - buffer_.data());
    char* out = begin;
    for (const char* in = begin; in != begin + record_.fields[i].size(); ++in) {
      *out++ = *in;
      if (*in == '"') ++in;
    }
    record_.fields[i] = {begin, static_cast<size_t>(out - begin)};
  }
}

void CsvReader::CheckText(const char* begin, const char* end) {
  const std::string_view text(begin, static_cast<size_t>(end - begin));
  if (!record_.problem.empty() || IsPlainText(text)) return;
  const size_t bad = FirstBadByte(text);
  if (bad == text.size()) return;
  record_.problem = absl::StrFormat(
      "byte 0x%02x is no UTF-8 text; convert the file, e.g. with iconv -f latin1 -t utf-8",
      static_cast<unsigned char>(text[bad]));
}

}  // namespace convoy
