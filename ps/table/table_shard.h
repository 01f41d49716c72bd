// The part of an embedding table that one server holds: its buckets, and how the rows of a message
// go to them.
#ifndef CONVOY_PS_TABLE_TABLE_SHARD_H_
#define CONVOY_PS_TABLE_TABLE_SHARD_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/math/table.h"
#include "common/net/payload.h"
#include "common/optimizers/row_updater.h"
#include "ps/table/bucket.h"

namespace convoy {

// Thread-safe.
class TableShard {
 public:
  struct Options {
    ProgressOptions progress;
    TableSpec table;
    uint32_t rank = 0, servers = 1;
    uint64_t seed = 1;
    v1::Optimizer optimizer;
    std::function<double(uint64_t examples)> schedule;
    std::vector<v1::TableRule> rules;  // of all tables of the job
    bool deltas = false;               // as TableBucket::Options
    const RowClock* clock = nullptr;   // outlives the shard; null: time does not pass
  };

  // InvalidArgument: optimizer settings, or rules.
  static absl::StatusOr<std::unique_ptr<TableShard>> Create(Options options);

  const TableSpec& spec() const { return options_.table; }
  uint32_t dim() const { return dim_; }
  // Floats of a row with its anchors; in modes in which servers add differences up.
  uint32_t anchored_dim() const { return dim_ + updater_->slot_floats(); }
  const RowUpdater& updater() const { return *updater_; }
  // Of the first one; the next is `servers` further.
  uint32_t first_bucket() const { return options_.rank; }
  // A bucket of this server.
  TableBucket& bucket(uint32_t bucket) { return *buckets_[bucket / options_.servers]; }

  // Counts the rows of one contribution, some buckets at a time, until `counted(bucket, result)`
  // returns false for one of them. The ids are those of this server, ascending by (bucket, id).
  void Push(const PushKey& key, uint64_t base_version, RowIds ids, const Payload& values,
            uint64_t examples, std::vector<ParkedRows>* released,
            absl::FunctionRef<bool(uint32_t bucket, const PushResult&)> counted);
  // The push is complete: buckets that it did not name have no gradient.
  void Finish(const PushKey& key, uint64_t examples, std::vector<ParkedRows>* released);
  void ForgetTask(uint64_t task);

  const std::vector<std::unique_ptr<TableBucket>>& buckets() const { return buckets_; }
  RowCounts GetRowCounts() const;
  // Of the table, on all servers together.
  uint64_t max_rows() const { return max_rows_; }

 private:
  explicit TableShard(Options options);

  const Options options_;
  const uint32_t dim_;
  std::unique_ptr<const RowUpdater> updater_;
  uint64_t max_rows_ = std::numeric_limits<uint64_t>::max();
  RowArena arena_;
  std::vector<std::unique_ptr<TableBucket>> buckets_;  // rank, rank + servers, ...
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_TABLE_SHARD_H_
