// Whether bytes are text.
#ifndef CONVOY_WORKER_DATA_CSV_UTF8_H_
#define CONVOY_WORKER_DATA_CSV_UTF8_H_

#include <cstddef>
#include <string_view>

namespace convoy {

// All bytes are ASCII and none is 0. Fast.
bool IsPlainText(std::string_view text);

// Where `text` stops being UTF-8 (RFC 3629) or holds a byte 0; its size if nowhere.
size_t FirstBadByte(std::string_view text);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_UTF8_H_
