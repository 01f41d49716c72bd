// How long an epoch is.
#ifndef CONVOY_COMMON_EPOCH_EXAMPLES_H_
#define CONVOY_COMMON_EPOCH_EXAMPLES_H_

#include <cstdint>

#include "proto/coordinator.pb.h"

namespace convoy {

// Examples that one epoch visits: the training examples, or more with over-sampling.
inline uint64_t EpochExamples(const v1::DataSummary& data) {
  return data.epoch_examples() == 0 ? data.examples() : data.epoch_examples();
}

}  // namespace convoy

#endif  // CONVOY_COMMON_EPOCH_EXAMPLES_H_
