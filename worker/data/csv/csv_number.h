// Numbers in fields of CSV files.
#ifndef CONVOY_WORKER_DATA_CSV_CSV_NUMBER_H_
#define CONVOY_WORKER_DATA_CSV_CSV_NUMBER_H_

#include <string_view>

namespace convoy {

// The whole of `text` as a decimal number, rounded to the nearest double: [+-] digits [. digits]
// [e [+-] digits], with a digit before or behind the point. False, and *value untouched: it is
// something else, NaN, infinite, or beyond float32, in which features are kept.
bool ParseNumber(std::string_view text, double* value);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CSV_CSV_NUMBER_H_
