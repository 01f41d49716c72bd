// Waiting for a training to get somewhere, by its events.
#ifndef CONVOY_TESTS_TESTING_AWAIT_EPOCH_H_
#define CONVOY_TESTS_TESTING_AWAIT_EPOCH_H_

#include <string>

namespace convoy::testing {

// `run`: its directory. Returns when the training is in this epoch, counted from 1, or a later one;
// false: it is not within a minute. (The lines on the screen leave out most epochs of a fast job.)
bool AwaitEpoch(const std::string& run, int epoch);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_AWAIT_EPOCH_H_
