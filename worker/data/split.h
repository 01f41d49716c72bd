// Which rows of a file are trained on and which are held back.
#ifndef CONVOY_WORKER_DATA_SPLIT_H_
#define CONVOY_WORKER_DATA_SPLIT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace convoy {

// Disjoint, each ascending, together [0, n).
struct Split {
  std::vector<uint32_t> train, validation, test;
};

// Cuts n rows by the fractions of data.validation and data.test; what has no fraction is empty.
// The rows come from one permutation named (seed, "validation split"): validation from its
// beginning, test from its end. So each depends on (n, seed, its own fraction) alone, and a job
// that adds a test keeps the rows of its validation. A part has round(fraction * n) rows, at least
// one. InvalidArgument: a fraction outside (0, 1), or nothing is left to train on. n < 2^32.
absl::StatusOr<Split> DrawSplit(const v1::Data& data, uint64_t n, uint64_t seed);

// Whether DrawSplit holds anything back.
bool HasSplit(const v1::Data& data);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_SPLIT_H_
