// Texts of other processes, made fit to be passed on.
#ifndef CONVOY_LAUNCHER_COORDINATOR_TEXTS_H_
#define CONVOY_LAUNCHER_COORDINATOR_TEXTS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace convoy {

// The beginning of `text`, at most `max_bytes` of it and never half a UTF-8 character; "..." shows
// that something was cut off.
inline std::string Shortened(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_TEXTS_H_
