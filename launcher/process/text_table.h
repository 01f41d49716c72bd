// Aligned columns of text and numbers with units, for terminals.
#ifndef CONVOY_LAUNCHER_PROCESS_TEXT_TABLE_H_
#define CONVOY_LAUNCHER_PROCESS_TEXT_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

using TextRow = std::vector<std::string>;

enum class Side { kLeft, kRight };

// Columns as wide as their widest cell, indented by two; the first one to the left and the others
// to `side`. Ends with a new line unless there are no rows.
std::string AlignColumns(const std::vector<TextRow>& rows, Side side);

// "830 B", "31.0 MB" (powers of 1000).
std::string BytesText(double bytes);

// 2, "server" -> "2 servers"; 1, "server" -> "1 server".
std::string CountText(uint64_t count, const std::string& what);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_TEXT_TABLE_H_
