// Fields of CSV files that Convoy writes.
#ifndef CONVOY_WORKER_DATA_CSV_CSV_FIELD_H_
#define CONVOY_WORKER_DATA_CSV_CSV_FIELD_H_

#include <string>

namespace convoy {

// `text` as it is, or quoted (RFC 4180, rule 6) if it holds a comma, a quote or a line break, or
// begins or ends with a blank.
inline std::string CsvField(const std::string& text) {
  const bool blanks = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!blanks && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CSV_FIELD_H_
