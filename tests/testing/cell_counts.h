// What the cells of a checkpoint have counted.
#ifndef CONVOY_TESTS_TESTING_CELL_COUNTS_H_
#define CONVOY_TESTS_TESTING_CELL_COUNTS_H_

#include <cstdint>
#include <string>

namespace convoy::testing {

// In the newest checkpoint of the run directory `run` every cell of every variable, and every
// bucket of every table, has counted so many examples: each batch once.
void ExpectAllExamplesInAllCells(const std::string& run, uint64_t examples);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_CELL_COUNTS_H_
