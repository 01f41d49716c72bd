// Training on a part of the negative examples, and what it does to predictions: He et al.,
// "Practical lessons from predicting clicks on ads at Facebook", ADKDD 2014, section 6.3.
#ifndef CONVOY_WORKER_DATA_NEGATIVE_SAMPLING_H_
#define CONVOY_WORKER_DATA_NEGATIVE_SAMPLING_H_

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

// The examples that are kept, in their order: all of class 1, and each of class 0 with probability
// `rate` in (0, 1], a pure function of (seed, number of the example). `classes`: the class of each
// example. 4 bytes an example kept.
std::vector<uint32_t> SampleNegatives(std::span<const uint32_t> classes, double rate,
                                      uint64_t seed);

// The probability of class 1 among all examples, given `p`, that among the examples kept:
// p / (p + (1 - p) / rate).
float CorrectForSampling(float p, double rate);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_NEGATIVE_SAMPLING_H_
