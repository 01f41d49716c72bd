// The newest checkpoint of a run.
#ifndef CONVOY_TESTS_TESTING_NEWEST_CHECKPOINT_H_
#define CONVOY_TESTS_TESTING_NEWEST_CHECKPOINT_H_

#include <memory>
#include <string>

#include "common/checkpoint/checkpoint_reader.h"

namespace convoy::testing {

// `run`: its directory. Null, and the test fails: there is none, or it can't be read.
std::unique_ptr<CheckpointReader> NewestCheckpointOf(const std::string& run);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_NEWEST_CHECKPOINT_H_
