#include "launcher/commands/single_tables.h"

#include <atomic>
#include <limits>
#include <utility>
#include <vector>

#include "common/net/payload.h"
#include "common/optimizers/schedule.h"
#include "common/placement/slice_tree.h"
#include "common/status.h"
#include "ps/table/table_shard.h"

namespace convoy {
namespace {

// Memory that outlives the payload.
Payload Borrowed(std::span<const uint64_t> ids) {
  Payload payload;
  payload.Append({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
  return payload;
}

class SingleTables final : public TableStore {
 public:
  static absl::StatusOr<std::unique_ptr<SingleTables>> Create(const TableStoreOptions& options) {
    auto tables = std::unique_ptr<SingleTables>(new SingleTables(options));
    for (const TableSpec& spec : options.tables) {
      CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<TableShard> shard,
                              TableShard::Create(tables->ShardOptions(spec)));
      tables->shards_.push_back(std::move(shard));
    }
    return tables;
  }

  void Read(uint32_t table, std::span<const uint64_t> ids, std::span<float> out) override {
    TableShard& shard = *shards_[table];
    for (const BucketRun& run : BucketRuns(ids)) {
      shard.bucket(run.bucket)
          .Newest(ids.subspan(run.begin, run.end - run.begin),
                  out.data() + run.begin * shard.dim());
    }
  }

  void Push(uint64_t step, uint32_t slice, uint32_t table, std::span<const uint64_t> ids,
            std::span<const float> gradients, uint64_t examples) override {
    shards_[table]->Push(KeyOf(step, slice), step, Borrowed(ids), Payload(gradients, nullptr),
                         examples, &released_, [](uint32_t, const PushResult&) { return true; });
  }

  void Finish(uint64_t step, uint32_t slice, uint64_t examples) override {
    for (const auto& shard : shards_) shard->Finish(KeyOf(step, slice), examples, &released_);
  }

  void Export(uint32_t table, uint32_t bucket, std::vector<uint64_t>* ids,
              std::vector<float>* values) override {
    shards_[table]->bucket(bucket).Export(ids, values);
  }

 private:
  explicit SingleTables(const TableStoreOptions& options)
      : options_(options), tree_(options.slices) {}

  TableShard::Options ShardOptions(const TableSpec& spec) {
    TableShard::Options shard;
    shard.progress.policy = ConsistencyPolicy::For({.kind = Mode::Kind::kSync});
    shard.progress.tree = &tree_;
    shard.progress.stored_bytes = &stored_bytes_;
    // Slices come in order: nothing has to be refused.
    shard.progress.stored_bytes_budget = std::numeric_limits<int64_t>::max();
    shard.table = spec;
    shard.seed = options_.job.seed();
    shard.optimizer = options_.job.optimizer();
    shard.schedule = [this](uint64_t examples) {
      return ScheduleFactor(options_.job.optimizer().schedule(), examples, options_.epoch_examples,
                            options_.total_examples);
    };
    shard.rules.assign(options_.job.table().begin(), options_.job.table().end());
    return shard;
  }

  static PushKey KeyOf(uint64_t step, uint32_t slice) {
    return {.step = step, .node = {0, slice}, .task = 0, .batch = 0};
  }

  const TableStoreOptions options_;
  const SliceTree tree_;
  std::atomic<int64_t> stored_bytes_{0};
  std::vector<std::unique_ptr<TableShard>> shards_;  // by table
  std::vector<ParkedRows> released_;                 // stays empty: nobody waits
};

}  // namespace

absl::StatusOr<std::unique_ptr<TableStore>> MakeSingleTables(const TableStoreOptions& options) {
  return SingleTables::Create(options);
}

}  // namespace convoy
