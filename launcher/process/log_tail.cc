#include "launcher/process/log_tail.h"

#include <algorithm>
#include <cstdint>

#include "common/files/file_io.h"

namespace convoy {
namespace {

std::string LastBytes(const std::string& path, size_t max_bytes) {
  const auto fd = OpenForReading(path);
  if (!fd.ok()) return "";
  const auto size = FileSize(*fd, path);
  if (!size.ok()) return "";
  std::string text(std::min<uint64_t>(*size, max_bytes), '\0');
  if (!ReadExactlyAt(*fd, *size - text.size(), text.data(), text.size(), path).ok()) return "";
  return text;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

// Where the last `max_lines` lines of `text`, which ends with '\n', begin.
size_t BeginOfLastLines(const std::string& text, size_t max_lines) {
  size_t begin = text.size();
  for (size_t lines = 0; begin > 0; --begin) {
    if (text[begin - 1] == '\n' && ++lines > max_lines) break;
  }
  return begin;
}

}  // namespace

std::string LogTail(const std::string& path, const LogTailOptions& options) {
  std::string text = LastBytes(path, options.max_bytes);
  if (text.empty()) return text;
  if (text.back() != '\n') text.push_back('\n');
  std::replace_if(text.begin(), text.end(), IsControl, '?');
  return text.substr(BeginOfLastLines(text, options.max_lines));
}

}  // namespace convoy
