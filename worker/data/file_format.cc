#include "worker/data/file_format.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status.h"
#include "worker/data/byte_source.h"

namespace convoy {
namespace {
constexpr std::string_view kImagesName = "images-idx3";
constexpr std::string_view kLabelsName = "labels-idx1";
constexpr std::string_view kGzip = ".gz";
constexpr std::string_view kIdxMagic("\0\0", 2);
constexpr size_t kTextHeadBytes = 64 << 10;

// Whether a line is nothing but one number: the label of an example without entries.
bool IsLoneNumber(std::string_view line) {
  const size_t end = std::min(line.find_last_not_of(" \t\r") + 1, line.size());
  return end > 0 && line.substr(0, end).find_first_not_of("+-.0123456789eE") == line.npos;
}

// The first line that is neither blank nor a comment of libsvm text, nor has a label only.
std::string_view FirstLine(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.empty() || (line[0] != '#' && !IsLoneNumber(line))) return line;
    text.remove_prefix(line.size());
  }
}

size_t AfterDigits(std::string_view line, size_t begin) {
  return std::min(line.find_first_not_of("0123456789", begin), line.size());
}

// Separators of columns, unless the second word is index:value or field:id:value.
v1::Data::Format FormatOfText(std::string_view text) {
  const std::string_view line = FirstLine(text);
  const size_t blank = std::min(line.find_first_of(" \t"), line.size());
  const size_t word = std::min(line.find_first_not_of(" \t", blank), line.size());
  const size_t colon = AfterDigits(line, word);
  if (colon > word && colon < line.size() && line[colon] == ':') {
    const size_t second = AfterDigits(line, colon + 1);
    const bool libffm = second > colon + 1 && second < line.size() && line[second] == ':';
    return libffm ? v1::Data::LIBFFM : v1::Data::LIBSVM;
  }
  if (line.find_first_of(",;|") != std::string_view::npos) return v1::Data::CSV;
  return line.find('\t') != std::string_view::npos ? v1::Data::TSV : v1::Data::LIBSVM;
}

}  // namespace

bool FileExists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::StatusOr<v1::Data::Format> DetectFormat(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> file, FileSource(path, nullptr));
  const std::unique_ptr<ByteSource> source = Decompressed(std::move(file), path);
  char head[kTextHeadBytes];
  CONVOY_ASSIGN_OR_RETURN(const size_t got, source->Read(head));
  const std::string_view text(head, got);
  if (text.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": expected an IDX file, CSV, libsvm or libffm text, got an empty file"));
  }
  if (text.substr(0, 2) == kIdxMagic) return v1::Data::IDX;
  const absl::string_view name = absl::StripSuffix(path, ".gz");
  if (absl::EndsWithIgnoreCase(name, ".csv")) return v1::Data::CSV;
  if (absl::EndsWithIgnoreCase(name, ".tsv")) return v1::Data::TSV;
  return FormatOfText(text);
}

std::string LabelsPathFor(const std::string& images) {
  const size_t slash = images.rfind('/');
  const size_t at = images.rfind(kImagesName);
  if (at == std::string::npos || (slash != std::string::npos && at < slash)) return "";
  std::string labels = images;
  labels.replace(at, kImagesName.size(), kLabelsName);
  if (FileExists(labels)) return labels;
  const std::string other = absl::EndsWith(labels, ".gz")
                                ? labels.substr(0, labels.size() - kGzip.size())
                                : labels + std::string(kGzip);
  return FileExists(other) ? other : labels;
}

}  // namespace convoy
