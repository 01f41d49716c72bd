#include "ps/table/table_shard.h"

#include <utility>

#include "common/optimizers/server_rules.h"
#include "common/status.h"
#include "ps/table/bucket_walk.h"
#include "ps/table/row_limits.h"

namespace convoy {

absl::StatusOr<std::unique_ptr<TableShard>> TableShard::Create(Options options) {
  auto shard = std::unique_ptr<TableShard>(new TableShard(std::move(options)));
  CONVOY_ASSIGN_OR_RETURN(RowUpdater updater,
                          MakeServerRowUpdater(shard->options_.progress.policy.difference(),
                                               shard->options_.optimizer, shard->options_.table));
  shard->updater_ = std::make_unique<RowUpdater>(std::move(updater));
  TableBucket::Options bucket;
  bucket.progress = shard->options_.progress;
  bucket.table = &shard->options_.table;
  bucket.updater = shard->updater_.get();
  bucket.arena = &shard->arena_;
  bucket.clock = shard->options_.clock;
  bucket.seed = shard->options_.seed;
  bucket.deltas = shard->options_.deltas;
  bucket.schedule = shard->options_.schedule;
  const size_t row_bytes = (size_t{shard->dim_} + shard->updater_->slot_floats()) * sizeof(float);
  CONVOY_ASSIGN_OR_RETURN(bucket.life,
                          RowLifeFor(shard->options_.rules, shard->options_.table.name, row_bytes));
  for (uint32_t b = shard->options_.rank; b < kTableBuckets; b += shard->options_.servers) {
    shard->buckets_.push_back(std::make_unique<TableBucket>(bucket));
  }
  if (bucket.life.max_rows < shard->max_rows_ / kTableBuckets)
    shard->max_rows_ = bucket.life.max_rows * kTableBuckets;
  return shard;
}

TableShard::TableShard(Options options)
    : options_(std::move(options)), dim_(options_.table.dim()) {}

void TableShard::Push(const PushKey& key, uint64_t base_version, RowIds ids, const Payload& values,
                      uint64_t examples, std::vector<ParkedRows>* released,
                      absl::FunctionRef<bool(uint32_t bucket, const PushResult&)> counted) {
  const std::shared_ptr<const RowBlock> block = CopyRows(std::move(ids), values);
  const std::vector<BucketRun>& runs = block->rows.runs;
  std::vector<PushResult> results;
  results.reserve(runs.size());
  BucketWalk walk(this, block->rows, std::nullopt);
  RowSum rows{{}, {}, {}, examples, block};
  for (const BucketRun& run : runs) {
    walk.Next();
    const size_t size = run.end - run.begin;
    rows.ids = block->rows.of(run);
    rows.values = {block->values.get() + run.begin * dim_, size * dim_};
    results.push_back(walk.Push(key, base_version, rows, released));
  }
  walk.Next();
  for (size_t r = 0; r < runs.size(); ++r) {
    if (!counted(runs[r].bucket, results[r])) return;
  }
}

void TableShard::Finish(const PushKey& key, uint64_t examples, std::vector<ParkedRows>* released) {
  const RowSum nothing{{}, {}, {}, examples, nullptr};
  for (const auto& bucket : buckets_) bucket->Push(key, 0, nothing, released);
}

void TableShard::ForgetTask(uint64_t task) {
  for (const auto& bucket : buckets_) bucket->ForgetTask(task);
}

RowCounts TableShard::GetRowCounts() const {
  RowCounts counts;
  for (const auto& bucket : buckets_) counts.Add(bucket->GetRowCounts());
  return counts;
}

}  // namespace convoy
