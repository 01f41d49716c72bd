#include "launcher/commands/single_tables.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/net/payload.h"
#include "common/placement/placement.h"
#include "common/status.h"
#include "ps/shard.h"
#include "ps/shard_file.h"
#include "ps/shard_init.h"
#include "ps/shard_restore.h"

namespace convoy {
namespace {

class SingleTables final : public TableStore {
 public:
  static absl::StatusOr<std::unique_ptr<SingleTables>> Create(const TableStoreOptions& options) {
    CONVOY_ASSIGN_OR_RETURN(Placement placement,
                            Placement::Create(options.variables, /*servers=*/1, options.tables));
    auto tables = std::unique_ptr<SingleTables>(new SingleTables(options, std::move(placement)));
    if (options.tables.empty()) return tables;
    CONVOY_ASSIGN_OR_RETURN(tables->shard_, tables->MakeShard());
    for (uint32_t t = 0; t < options.tables.size() && options.init != nullptr; ++t) {
      CONVOY_RETURN_IF_ERROR(InitTable(*options.init, t, /*rank=*/0, /*servers=*/1,
                                       options.job.seed(), tables->shard_->table(t)));
    }
    return tables;
  }

  void Read(uint32_t table, std::span<const uint64_t> ids, std::span<float> out) override {
    TableShard& shard = shard_->table(table);
    const RowIds rows(ids);
    for (const BucketRun& run : rows.runs) {
      shard.bucket(run.bucket)
          .Newest(rows.of(run), {out.data() + run.begin * shard.dim(), shard.dim()});
    }
  }

  void Push(uint64_t step, uint32_t slice, uint32_t table, std::span<const uint64_t> ids,
            std::span<const float> gradients, uint64_t examples) override {
    shard_->table(table).Push(KeyOf(step, slice), step, RowIds(ids), Payload(gradients, nullptr),
                              examples, &released_,
                              [](uint32_t, const PushResult&) { return true; });
  }

  void Finish(uint64_t step, uint32_t slice, uint64_t examples) override {
    for (uint32_t t = 0; t < options_.tables.size(); ++t) {
      shard_->table(t).Finish(KeyOf(step, slice), examples, &released_);
    }
  }

  void Export(uint32_t table, uint32_t bucket, std::vector<uint64_t>* ids,
              std::vector<float>* values) override {
    shard_->table(table).bucket(bucket).Export(ids, values);
  }

  absl::StatusOr<v1::SnapshotState> WriteCheckpoint(const std::string& folder,
                                                    const Dense& dense) override {
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<Shard> own, ShardIfNone());
    Shard& shard = own ? *own : *shard_;
    for (const uint32_t id : placement_.cells_of_server(0)) PutCell(id, dense, shard);
    shard.server_cell().Restore({PositionAt(dense, dense.step), nullptr, {}});
    shard.ArmSnapshot(kSnapshotNow);
    const absl::StatusOr<ShardFile> file = WriteShard(shard, placement_, /*rank=*/0, folder);
    shard.DisarmSnapshot();
    CONVOY_RETURN_IF_ERROR(file.status());
    v1::SnapshotState state;
    state.set_version(file->version);
    state.set_examples(file->examples);
    state.set_file(file->name);
    state.set_bytes(file->bytes);
    state.set_xxh3(file->xxh3);
    return state;
  }

  absl::Status Restore(const std::string& folder, Dense* dense) override {
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointReader> checkpoint,
                            CheckpointReader::Open(folder));
    CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<Shard> own, ShardIfNone());
    Shard& shard = own ? *own : *shard_;
    CONVOY_RETURN_IF_ERROR(RestoreShard(*checkpoint, placement_, /*rank=*/0, shard));
    const CellCounts counts = shard.server_cell().GetCounts();
    dense->step = counts.version;
    dense->examples = counts.examples;
    shard.ArmSnapshot(kSnapshotNow);
    for (uint32_t v = 0; v < placement_.variables().size(); ++v) TakeVariable(v, shard, dense);
    shard.DisarmSnapshot();
    return absl::OkStatus();
  }

 private:
  SingleTables(const TableStoreOptions& options, Placement placement)
      : options_(options), placement_(std::move(placement)) {}

  // What one server would hold.
  absl::StatusOr<std::unique_ptr<Shard>> MakeShard() const {
    ShardOptions shard;
    shard.mode = {.kind = Mode::Kind::kSync};
    shard.slices = options_.slices;
    shard.seed = options_.job.seed();
    shard.optimizer = options_.job.optimizer();
    shard.table_rules.assign(options_.job.table().begin(), options_.job.table().end());
    shard.epoch_examples = options_.epoch_examples;
    shard.total_examples = options_.total_examples;
    return Shard::Create(std::move(shard), &placement_);
  }

  // A model without tables needs a shard for checkpoints only.
  absl::StatusOr<std::unique_ptr<Shard>> ShardIfNone() const {
    if (shard_ != nullptr) return nullptr;
    return MakeShard();
  }

  static CellPosition PositionAt(const Dense& dense, uint64_t updates) {
    return {{.version = dense.step, .updates = updates, .examples = dense.examples}, {}};
  }

  void PutCell(uint32_t id, const Dense& dense, Shard& shard) const {
    const CellSpec& spec = placement_.cells()[id];
    const auto begin = static_cast<uint64_t>(spec.offset);
    BlockSnapshot block = shard.cell(id).MakeSnapshot(
        PositionAt(dense, dense.optimizer->Updates(spec.variable, begin)));
    std::copy_n((*dense.weights)[spec.variable].data() + begin, spec.size, block.values->data());
    const std::vector<AlignedBuffer>& slots = dense.optimizer->slots(spec.variable);
    for (size_t s = 0; s < block.slots.size(); ++s) {
      if (s < slots.size()) {
        std::copy_n(slots[s].data() + begin, spec.size, block.slots[s].data());
      } else {  // frozen
        std::fill_n(block.slots[s].data(), spec.size,
                    shard.optimizer(spec.variable).initial_slot_value(static_cast<int>(s)));
      }
    }
    shard.cell(id).Restore(std::move(block));
  }

  void TakeVariable(uint32_t variable, Shard& shard, Dense* dense) const {
    std::vector<int64_t> updates;
    for (const CellSpec& spec : placement_.cells_of_variable(variable)) {
      const std::optional<BlockSnapshot> block = shard.cell(spec.id).TakeSnapshot();
      std::copy_n(block->values->data(), spec.size,
                  (*dense->weights)[variable].data() + spec.offset);
      std::vector<AlignedBuffer>& slots = dense->optimizer->slots(variable);
      for (size_t s = 0; s < slots.size(); ++s) {
        std::copy_n(block->slots[s].data(), spec.size, slots[s].data() + spec.offset);
      }
      updates.push_back(static_cast<int64_t>(block->position.counts.updates));
    }
    dense->optimizer->SetUpdates(variable, std::move(updates));
  }

  static PushKey KeyOf(uint64_t step, uint32_t slice) {
    return {.step = step, .node = {0, slice}, .task = 0, .batch = 0};
  }

  const TableStoreOptions options_;
  const Placement placement_;
  std::unique_ptr<Shard> shard_;      // null: the model has no tables
  std::vector<ParkedRows> released_;  // stays empty: nobody waits
};

}  // namespace

absl::StatusOr<std::unique_ptr<TableStore>> MakeSingleTables(const TableStoreOptions& options) {
  return SingleTables::Create(options);
}

}  // namespace convoy
