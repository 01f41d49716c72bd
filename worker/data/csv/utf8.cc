#include "worker/data/csv/utf8.h"

#include <cstdint>
#include <cstring>

namespace convoy {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = kOnes << 7;

struct Lead {
  size_t length;            // of the character; 0: no character begins so
  unsigned char low, high;  // of the second byte
};

// RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
Lead LeadOf(unsigned char c) {
  if (c < 0x80) return {c == 0 ? size_t{0} : size_t{1}, 0, 0};
  if (c >= 0xC2 && c <= 0xDF) return {2, 0x80, 0xBF};
  if (c == 0xE0) return {3, 0xA0, 0xBF};
  if (c == 0xED) return {3, 0x80, 0x9F};
  if (c >= 0xE1 && c <= 0xEF) return {3, 0x80, 0xBF};
  if (c == 0xF0) return {4, 0x90, 0xBF};
  if (c >= 0xF1 && c <= 0xF3) return {4, 0x80, 0xBF};
  if (c == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

bool IsCharacter(std::string_view text, const Lead& lead) {
  if (lead.length == 0 || lead.length > text.size()) return false;
  for (size_t i = 1; i < lead.length; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < (i == 1 ? lead.low : 0x80) || c > (i == 1 ? lead.high : 0xBF)) return false;
  }
  return true;
}

}  // namespace

bool IsPlainText(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  uint64_t bad = 0;  // a high bit in a byte that is 0 or not ASCII
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    bad |= word | (word - kOnes);
  }
  for (; at != end; ++at) bad |= *at <= 0 ? kHighBits : 0;
  return (bad & kHighBits) == 0;
}

size_t FirstBadByte(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Lead lead = LeadOf(static_cast<unsigned char>(text[at]));
    if (!IsCharacter(text.substr(at), lead)) return at;
    at += lead.length;
  }
  return at;
}

}  // namespace convoy
