// A small data set in libsvm's format that a net can learn, made from a seed.
#ifndef CONVOY_TESTS_TESTING_PARITY_LINES_H_
#define CONVOY_TESTS_TESTING_PARITY_LINES_H_

#include <cstdint>
#include <string>

namespace convoy::testing {

// One of 50 values in each of four fields, features 1 to 200; the label says whether two or more of
// them are odd.
std::string ParityLines(uint64_t examples);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_PARITY_LINES_H_
