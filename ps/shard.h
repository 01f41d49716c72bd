// Everything that one server holds: the blocks of variables and buckets of tables that are placed
// on it, with their update rules and buffers, and the cell that counts the server's own steps.
#ifndef CONVOY_PS_SHARD_H_
#define CONVOY_PS_SHARD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/interval_set.h"
#include "common/mode.h"
#include "common/mutex.h"
#include "common/optimizers/optimizer.h"
#include "common/placement/placement.h"
#include "common/placement/slice_tree.h"
#include "proto/job.pb.h"
#include "proto/parameter_server.pb.h"
#include "ps/buffer_pool.h"
#include "ps/cell.h"
#include "ps/consistency.h"
#include "ps/table/row_clock.h"
#include "ps/table/table_shard.h"

namespace convoy {

struct ShardOptions {
  uint32_t rank = 0;
  Mode mode;
  uint32_t slices = 1;
  uint64_t seed = 1;
  v1::Optimizer optimizer;
  std::vector<v1::TableRule> table_rules;
  bool deltas = false;          // delta checkpoints may be wanted
  uint64_t epoch_examples = 1;  // for the defaults of schedules
  uint64_t total_examples = 1;
  // Out-of-order gradients that may be stored, in multiples of the size of the weights.
  double out_of_order_budget = 2;
  bool poison_buffers = false;
};

// Thread-safe.
class Shard {
 public:
  // `placement` outlives the shard. InvalidArgument: optimizer settings.
  static absl::StatusOr<std::unique_ptr<Shard>> Create(ShardOptions options,
                                                       const Placement* placement);

  const ConsistencyPolicy& policy() const { return policy_; }
  const SliceTree& tree() const { return tree_; }
  // Of this server, by its number in the placement.
  Cell& cell(uint32_t id) const { return *cells_[local_[id]]; }
  // Has no values.
  Cell& server_cell() const { return *server_cell_; }
  TableShard& table(uint32_t number) const { return *tables_[number]; }
  size_t tables() const { return tables_.size(); }
  const Optimizer& optimizer(uint32_t variable) const { return *optimizers_[variable]; }
  // Slices push gradients of rows of so many bytes to this server in one step. The budget of what
  // comes out of order is a multiple of the largest push so far, since a table has no size that it
  // could be a multiple of.
  void SawRows(size_t bytes);
  // Something happens at `now`.
  void Advance(absl::Time now) { row_clock_.Advance(now); }

  // The push is complete: cells that it did not name get an empty contribution, at last the
  // server's own.
  PushResult FinishPush(const PushKey& key, uint64_t examples, std::vector<ParkedPull>* released,
                        std::vector<ParkedRows>* released_rows);
  // The task has been counted by every server, to its last batch: it is remembered as complete, and
  // its marks go.
  void CompleteTask(uint64_t task);
  bool IsComplete(uint64_t task) const;
  // Arms a snapshot of version `version` (or kSnapshotNow) in every cell; one that was armed before
  // is given up. Returns `version`, or if some cell is beyond it the highest version of all, and
  // then nothing is armed.
  uint64_t ArmSnapshot(uint64_t version);
  // The snapshot is written, or not wanted any more.
  void DisarmSnapshot();
  // Waits until every cell has come to the version that was armed. False: nothing is armed any
  // more.
  bool AwaitSnapshot();
  // Tasks that were complete when the snapshot was armed.
  IntervalSet SnapshotTasks() const;
  // Tasks of a checkpoint that this shard continues.
  void RestoreTasks(IntervalSet complete);

  // Slices that cells wait for that have not come to `version` yet.
  std::set<uint32_t> MissingSlices(uint64_t version) const;
  // Fills in what the cells have counted.
  void AddStats(v1::ServerStats* stats) const;

 private:
  Shard(ShardOptions options, const Placement* placement);
  absl::Status MakeCells();
  absl::Status MakeTables(const ProgressOptions& progress);
  double ScheduleAfter(uint64_t examples) const;
  void DisarmCells();
  void ForgetMarks(uint64_t task);
  void ForEachCount(absl::FunctionRef<void(const CellCounts&)> fn) const;
  void AddBusiest(v1::ServerStats* stats) const;
  // `number`: table * kTableBuckets + bucket.
  std::string DescribeBucket(uint32_t number) const;

  const ShardOptions options_;
  const Placement* const placement_;
  const SliceTree tree_;
  const ConsistencyPolicy policy_;
  BufferPool pool_;
  const double gradients_kept_;  // out of order, at most
  std::atomic<int64_t> stored_bytes_{0};
  std::atomic<int64_t> row_budget_{0};
  std::vector<std::unique_ptr<Optimizer>> optimizers_;  // by variable
  std::vector<uint32_t> local_;                         // cell id -> position in cells_
  std::vector<std::unique_ptr<Cell>> cells_;
  RowClock row_clock_;
  std::vector<std::unique_ptr<TableShard>> tables_;
  std::unique_ptr<Cell> server_cell_;

  mutable Mutex snapshot_mutex_;
  CondVar snapshot_changed_;
  bool snapshot_armed_ CONVOY_GUARDED_BY(snapshot_mutex_) = false;
  std::atomic<bool> snapshot_awaited_{false};
  // While a snapshot is armed the cells keep their marks, and complete_ is that of the snapshot.
  IntervalSet complete_ CONVOY_GUARDED_BY(snapshot_mutex_);
  std::vector<uint64_t> completed_since_ CONVOY_GUARDED_BY(snapshot_mutex_);
};

}  // namespace convoy

#endif  // CONVOY_PS_SHARD_H_
