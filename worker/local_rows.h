// The rows of one table that a round of local steps has read, as the worker steps them itself.
#ifndef CONVOY_WORKER_LOCAL_ROWS_H_
#define CONVOY_WORKER_LOCAL_ROWS_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/math/table.h"
#include "common/optimizers/row_updater.h"
#include "worker/layers/weights.h"
#include "worker/row_index.h"

namespace convoy {

// A row is read once in a round and then lives here: its weights, as they were read and as they
// are, slots that start at their initial values, and its own count of updates. Before each batch:
// Missing, then Arrive with the rows that it named; after it: Apply. One thread.
class LocalRows {
 public:
  // InvalidArgument: as RowUpdater::Create.
  static absl::StatusOr<LocalRows> Create(const v1::Optimizer& optimizer, const TableSpec& table);

  // A new round: no row has been read.
  void Clear();
  // The next batch reads the rows of `ids`, one for each place. Returns those that have not been
  // read in this round, each once; valid until the next call.
  std::span<const uint64_t> Missing(std::span<const uint64_t> ids);
  // The rows that Missing returned, `rows.places` in its order.
  void Arrive(const TableRows& rows);

  // The batch's rows as they are now, and memory for their gradients, [rows, dim]. Valid until
  // Apply or Missing.
  TableRows rows() const;
  std::span<float> gradients();
  // One update of each row of the batch with gradients(); of `scalars` all but the count of
  // updates.
  void Apply(RowScalars scalars);

  // The rows that were updated in this round, in the order in which they were read.
  std::vector<uint64_t> UpdatedIds() const;
  // Writes `factor` * (weights now - weights read) of UpdatedIds()[i] to row places[i] of `out`,
  // [rows, dim].
  void Differences(float factor, std::span<const uint32_t> places, std::span<float> out) const;

 private:
  explicit LocalRows(RowUpdater updater) : updater_(std::move(updater)), dim_(updater_.dim()) {}

  RowUpdater updater_;
  uint32_t dim_;
  // Of the round, by row in the order in which they were read.
  absl::flat_hash_map<uint64_t, uint32_t> row_of_;  // by id
  std::vector<uint64_t> ids_;
  std::vector<float> before_, weights_, slots_;
  std::vector<int64_t> updates_;
  // Of the batch, by its row.
  RowIndex index_;
  std::vector<uint32_t> batch_rows_;  // which row of the round it is
  AlignedBuffer batch_weights_, batch_gradients_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LOCAL_ROWS_H_
