// What models with tables check before they read a batch, and the ids that it names.
#ifndef CONVOY_WORKER_MODELS_TABLES_ID_BATCH_H_
#define CONVOY_WORKER_MODELS_TABLES_ID_BATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/math/table.h"
#include "worker/data/batch.h"
#include "worker/layers/weights.h"
#include "worker/models/model.h"

namespace convoy {

// OK if the batch is sparse and every array has the size that size and values say. Labels, weights
// and fields may be absent. Ids may be any number, and repeat. InvalidArgument: names what differs,
// expected and got.
absl::Status CheckIdBatch(const Batch& batch);

// As CheckIdBatch, for training: at least one example, and labels.
absl::Status CheckIdTrainingBatch(const Batch& batch);

// Appends the id of each place of a batch that CheckIdBatch accepts: batch.ids, or else
// batch.columns.
void AppendPlaceIds(const Batch& batch, std::vector<uint64_t>* ids);

// Internal: not the rows of `places` places of this table.
absl::Status CheckTableRows(const TableSpec& table, const TableRows& rows, int64_t places);

// InvalidArgument: the data are dense. `kind`: as in the job file.
absl::Status CheckSparseInput(const ModelInput& input, const std::string& kind);

}  // namespace convoy

#endif  // CONVOY_WORKER_MODELS_TABLES_ID_BATCH_H_
