// Walking over lines of libsvm-like text. All text here ends with '\n', so that no function looks
// for an end of the buffer.
#ifndef CONVOY_WORKER_DATA_TEXT_LINE_H_
#define CONVOY_WORKER_DATA_TEXT_LINE_H_

#include <cstring>

namespace convoy {

inline bool IsBlank(char c) { return c == ' ' || c == '\t'; }

inline const char* SkipBlanks(const char* cursor) {
  while (IsBlank(*cursor)) ++cursor;
  return cursor;
}

// Whether nothing but a comment is left of the line.
inline bool AtLineEnd(const char* cursor) {
  return *cursor == '\n' || *cursor == '#' || (cursor[0] == '\r' && cursor[1] == '\n');
}

// The begin of the next line.
inline const char* AfterLine(const char* cursor) {
  return static_cast<const char*>(::rawmemchr(cursor, '\n')) + 1;
}

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_TEXT_LINE_H_
