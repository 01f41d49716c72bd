// Numbers for people and for files that are read again.
#ifndef CONVOY_COMMON_NUMBER_TEXT_H_
#define CONVOY_COMMON_NUMBER_TEXT_H_

#include <string>

namespace convoy {

// As people write it: the shortest text that reads back as the same double. Whole numbers below
// 10^15 without an exponent.
std::string NumberText(double value);

}  // namespace convoy

#endif  // CONVOY_COMMON_NUMBER_TEXT_H_
