// Decimal numbers in text, correctly rounded, fast for the short ones that data files are full of.
#ifndef CONVOY_WORKER_DATA_DECIMAL_H_
#define CONVOY_WORKER_DATA_DECIMAL_H_

#include <string>

namespace convoy {

enum class DecimalResult { kOk, kNotANumber, kNotFinite };

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads the token at *cursor (it ends at a blank, '#' or the end of the line; the text must contain
// '\n') as a float32, rounded to nearest. Moves *cursor behind it if kOk. kNotFinite: NaN, infinity
// or beyond float32.
DecimalResult ParseDecimal(const char** cursor, float* value);

// The token at `token` for an error message: quoted, escaped, cut after 40 bytes.
std::string QuotedToken(const char* token);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_DECIMAL_H_
