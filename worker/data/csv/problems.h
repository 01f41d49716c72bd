// What can be wrong with a value of a row, in words.
#ifndef CONVOY_WORKER_DATA_CSV_PROBLEMS_H_
#define CONVOY_WORKER_DATA_CSV_PROBLEMS_H_

#include <string>
#include <string_view>

namespace convoy {

// At most 40 bytes of `value`, quoted and escaped.
std::string QuotedValue(std::string_view value);

std::string NotANumber(const std::string& column, std::string_view value);
std::string ValueIsMissing(const std::string& column);
std::string LabelIsMissing(const std::string& column);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_PROBLEMS_H_
