#include "worker/data/id_text.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "worker/data/cache_format.h"
#include "worker/data/decimal.h"
#include "worker/data/text_line.h"

namespace convoy {
namespace {

constexpr size_t kLeastLibffmBytes = 6;  // " 1:1:1"
constexpr size_t kLeastLibsvmBytes = 4;  // " 1:1"
constexpr size_t kShownDigits = 40;
constexpr int64_t kMostDigits = 19;  // of 2^63; as many nines fit into 64 bits

// Digits followed by a colon, moved behind. False: something else, or a number of more digits.
bool ParseKey(const char** cursor, uint64_t* number) {
  const char* at = *cursor;
  uint64_t key = 0;
  for (; IsDigit(*at); ++at) key = key * 10 + static_cast<uint64_t>(*at - '0');
  const int64_t digits = at - *cursor;
  if (digits == 0 || digits > kMostDigits || *at != ':') return false;
  *number = key;
  *cursor = at + 1;
  return true;
}

// Whether `token` looks like a key, so that one which is none has too large a number.
bool IsKey(const char* token) {
  const size_t digits = std::strspn(token, "0123456789");
  return digits > 0 && token[digits] == ':';
}

absl::Status TooLarge(const char* what, const char* token, uint64_t largest) {
  const std::string number(token, std::min<size_t>(std::strspn(token, "0123456789"), kShownDigits));
  return absl::InvalidArgumentError(
      absl::StrCat(what, " ", number, ": the largest possible is ", largest));
}

absl::Status NoEntry(const char* token, IdTextFormat format) {
  if (std::strncmp(token, "qid:", 4) == 0) {
    return absl::InvalidArgumentError(
        "qid is not supported (ranking data); remove it from the file");
  }
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", format == IdTextFormat::kLibffm ? "field:id:value" : "id:value",
                   ", got ", QuotedToken(token)));
}

absl::Status ParseValue(const char** cursor, const std::string& what, float* value) {
  const char* const token = *cursor;
  const DecimalResult result = ParseDecimal(cursor, value);
  if (result == DecimalResult::kOk) return absl::OkStatus();
  const bool number = result == DecimalResult::kNotFinite;
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": expected a ", number ? "finite float32" : "number", ", got ", QuotedToken(token)));
}

}  // namespace

IdTextParser::IdTextParser(IdTextFormat format, std::string name, uint64_t max_bad_lines)
    : IdParser(std::move(name), max_bad_lines,
               format == IdTextFormat::kLibffm ? kLeastLibffmBytes : kLeastLibsvmBytes,
               /*has_fields=*/format == IdTextFormat::kLibffm),
      format_(format) {}

bool IdTextParser::IsNoExample(const char* line) const { return AtLineEnd(SkipBlanks(line)); }

absl::Status IdTextParser::ParseLine(const char* line, float* label) {
  const char* at = SkipBlanks(line);
  CONVOY_RETURN_IF_ERROR(ParseValue(&at, "label", label));
  for (at = SkipBlanks(at); !AtLineEnd(at); at = SkipBlanks(at)) {
    CONVOY_RETURN_IF_ERROR(ParseEntry(&at));
  }
  return CheckRepeats();
}

absl::Status IdTextParser::ParseEntry(const char** cursor) {
  const char* const token = *cursor;
  uint64_t field = 0, id = 0;
  if (format_ == IdTextFormat::kLibffm && (!ParseKey(cursor, &field) || field >= kMaxFields))
      [[unlikely]] {
    return IsKey(token) ? TooLarge("field", token, kMaxFields - 1) : NoEntry(token, format_);
  }
  const char* const id_token = *cursor;
  if (!ParseKey(cursor, &id) || id > kMaxId) [[unlikely]] {
    return IsKey(id_token) ? TooLarge("id", id_token, kMaxId) : NoEntry(token, format_);
  }
  float value = 0;
  if (const char* const text = *cursor; ParseDecimal(cursor, &value) != DecimalResult::kOk)
      [[unlikely]] {
    *cursor = text;
    return ParseValue(cursor, absl::StrCat("value of id ", id), &value);
  }
  Add(id, static_cast<uint16_t>(field), value);
  return absl::OkStatus();
}

absl::Status IdTextParser::CheckRepeats() {
  const std::optional<size_t> repeat = repeats_.Find(line_fields(), line_ids());
  if (!repeat) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "id ", line_ids()[*repeat], " comes twice",
      format_ == IdTextFormat::kLibffm ? absl::StrCat(" in field ", line_fields()[*repeat]) : ""));
}

}  // namespace convoy
