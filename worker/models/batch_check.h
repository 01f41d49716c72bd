// What a model checks before it reads a batch.
#ifndef CONVOY_WORKER_MODELS_BATCH_CHECK_H_
#define CONVOY_WORKER_MODELS_BATCH_CHECK_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "common/math/variable.h"
#include "worker/data/batch.h"

namespace convoy {

// OK if every array of `batch` has the size that batch.size says (labels and weights may be
// absent), the batch has `features` features, and a sparse one only columns below that.
// InvalidArgument: names what differs, expected and got.
absl::Status CheckBatch(const Batch& batch, int64_t features, bool sparse);

// As CheckBatch, for training: at least one example, and labels.
absl::Status CheckTrainingBatch(const Batch& batch, int64_t features, bool sparse);

// Internal: memory for `spec`, values or gradient, that has not as many elements as the variable.
absl::Status CheckVariableMemory(const VariableSpec& spec, std::span<const float> memory);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_BATCH_CHECK_H_
