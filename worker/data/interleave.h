// One batch of the examples of two.
#ifndef CONVOY_WORKER_DATA_INTERLEAVE_H_
#define CONVOY_WORKER_DATA_INTERLEAVE_H_

#include <vector>

#include "worker/data/batch.h"

namespace convoy {

// Fills `out` with the examples of `first` and `second`, each in its order: the k-th is one of
// `second` where from_second[k]. All of `out` but its weights, which there are none of, and its
// epoch; it is neither of the two. They are of one kind, with as many features; from_second is as
// long as they are together.
void Interleave(const Batch& first, const Batch& second, const std::vector<bool>& from_second,
                Batch* out);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_INTERLEAVE_H_
