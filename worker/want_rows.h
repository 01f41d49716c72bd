// Asking for the rows that a batch reads.
#ifndef CONVOY_WORKER_WANT_ROWS_H_
#define CONVOY_WORKER_WANT_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "worker/data/batch.h"
#include "worker/layers/weights.h"
#include "worker/models/model.h"

namespace convoy {

// Calls WantRows for each table of the model with the ids of the batch. `scratch` is memory that is
// used again.
absl::Status WantRowsOf(const Model& model, const Batch& batch, WeightSource& weights,
                        std::vector<uint64_t>* scratch);

}  // namespace convoy

#endif  // CONVOY_WORKER_WANT_ROWS_H_
