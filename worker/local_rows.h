// The rows of one table that a round of local steps has read, as the worker steps them itself.
#ifndef CONVOY_WORKER_LOCAL_ROWS_H_
#define CONVOY_WORKER_LOCAL_ROWS_H_

#include <cstdint>
#include <memory>
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
// are, slots that start at their initial values, but for its anchors, and its own count of updates.
// For each batch: Missing, Arrive with the rows that it named, Apply with their gradients. Missing
// of the next batch may come before Apply. One thread.
class LocalRows {
 public:
  // InvalidArgument: as RowUpdater::Create.
  static absl::StatusOr<LocalRows> Create(const v1::Optimizer& optimizer, const TableSpec& table);

  // A new round: no row has been read.
  void Clear();
  // The next batch reads the rows of `ids`, one for each place. Returns those that have not been
  // read in this round, each once; valid until the next call.
  std::span<const uint64_t> Missing(std::span<const uint64_t> ids);
  // Floats that each row that arrives has behind its weights: what it is held near
  // (optimizer.anchor).
  uint32_t anchors() const { return anchors_; }
  // The rows that Missing returned, `rows.places` in its order, `rows.values` [rows, dim +
  // anchors()]: the batch is now the current one.
  void Arrive(const TableRows& rows);

  // The current batch's rows as they were at Arrive, and memory for their gradients, [rows, dim].
  // Valid until the next Arrive.
  TableRows rows() const;
  std::span<float> gradients();
  // One update of each row of the current batch with gradients(); of `scalars` all but the count of
  // updates.
  void Apply(RowScalars scalars);

  // The rows that were updated in this round, in the order in which they were read.
  std::vector<uint64_t> UpdatedIds() const;
  // Writes `factor` * (weights now - weights read) of UpdatedIds()[i] to row places[i] of `out`,
  // [rows, dim].
  void Differences(float factor, std::span<const uint32_t> places, std::span<float> out) const;

 private:
  explicit LocalRows(RowUpdater updater);
  // Of the next row of the round.
  void AddSlots(const float* anchors);

  RowUpdater updater_;
  uint32_t dim_;
  uint32_t anchors_ = 0;
  // Of the round, by row in the order in which they were read.
  absl::flat_hash_map<uint64_t, uint32_t> row_of_;  // by id
  std::vector<uint64_t> ids_;
  std::vector<float> before_, weights_, slots_;
  std::vector<int64_t> updates_;
  struct Batch {
    RowIndex index;
    std::vector<uint32_t> rows;  // by row of the batch: which one of the round it is
  };
  std::unique_ptr<Batch> current_ = std::make_unique<Batch>();
  std::unique_ptr<Batch> next_ = std::make_unique<Batch>();
  AlignedBuffer batch_weights_, batch_gradients_;  // of the current one
};

}  // namespace convoy

#endif  // CONVOY_WORKER_LOCAL_ROWS_H_
