#include "ps/shard_file.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/files/safetensors_writer.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status GivenUp() {
  return absl::FailedPreconditionError("the snapshot was given up before it was written");
}

std::string BlockName(const Placement& placement, const CellSpec& spec) {
  const auto begin = static_cast<uint64_t>(spec.offset);
  return BlockTensor(placement.variables()[spec.variable].name, begin, begin + spec.size);
}

class ShardWriter {
 public:
  ShardWriter(Shard& shard, const Placement& placement, uint32_t rank, const BucketVersions* base)
      : shard_(shard), placement_(placement), rank_(rank), base_(base) {}

  absl::StatusOr<ShardFile> Write(const std::string& folder) {
    CONVOY_RETURN_IF_ERROR(Outline());
    CONVOY_RETURN_IF_ERROR(OutlineTables());
    file_.delta = base_ != nullptr;
    file_.name = ServerFileName(rank_, placement_.servers());
    const std::string path = absl::StrCat(folder, "/", file_.name);
    CONVOY_ASSIGN_OR_RETURN(
        writer_,
        SafetensorsWriter::Create(path, Declarations(),
                                  {{"format", kServerFileFormat},
                                   {"server", ServerOfServers(rank_, placement_.servers())}}));
    CONVOY_RETURN_IF_ERROR(writer_->WriteU64(kCellsTensor, 0, cells_));
    CONVOY_RETURN_IF_ERROR(writer_->WriteU64(kMarksTensor, 0, marks_));
    CONVOY_RETURN_IF_ERROR(writer_->WriteU64(kCompleteTensor, 0, complete_));
    if (file_.delta) CONVOY_RETURN_IF_ERROR(writer_->WriteU64(kDeltasTensor, 0, deltas_));
    CONVOY_RETURN_IF_ERROR(WriteBlocks());
    for (uint32_t t = 0; t < shard_.tables(); ++t) CONVOY_RETURN_IF_ERROR(WriteTable(t));
    if (!shard_.server_cell().TakeSnapshot()) return GivenUp();
    CONVOY_ASSIGN_OR_RETURN(const FileHash hash, writer_->CommitAndHash());
    file_.bytes = hash.bytes;
    file_.xxh3 = hash.xxh3;
    return file_;
  }

 private:
  // What is in the file, before anything of it is copied.
  absl::Status Outline() {
    const std::optional<CellPosition> own = shard_.server_cell().OutlineSnapshot();
    if (!own) return GivenUp();
    file_.version = own->counts.version;
    file_.examples = own->counts.examples;
    AddCell(CellKind::kServer, 0, 0, 0, *own);
    const IntervalSet tasks = shard_.SnapshotTasks();
    for (const auto& [begin, end] : tasks.all()) {
      complete_.insert(complete_.end(), {begin, end - 1});
    }
    for (const uint32_t id : placement_.cells_of_server(rank_)) {
      const CellSpec& spec = placement_.cells()[id];
      const std::optional<CellPosition> position = shard_.cell(id).OutlineSnapshot();
      if (!position) return GivenUp();
      AddCell(CellKind::kBlock, spec.variable, static_cast<uint64_t>(spec.offset), 0, *position);
    }
    return absl::OkStatus();
  }

  absl::Status OutlineTables() {
    const size_t blocks = cells_.size(), marks = marks_.size();
    const uint64_t dropped = file_.dropped;
    if (base_ != nullptr) {
      CONVOY_ASSIGN_OR_RETURN(const bool possible, OutlineBuckets());
      if (possible) return absl::OkStatus();
      base_ = nullptr;  // all, then
      cells_.resize(blocks);
      marks_.resize(marks);
      file_.dropped = dropped;
    }
    return OutlineBuckets().status();
  }

  // False: it can't be told what has changed since the base.
  absl::StatusOr<bool> OutlineBuckets() {
    tables_.assign(shard_.tables(), {});
    file_.versions.assign(shard_.tables(), std::vector<uint64_t>(kTableBuckets));
    deltas_.clear();
    for (uint32_t t = 0; t < shard_.tables(); ++t) {
      for (uint32_t b = rank_; b < kTableBuckets; b += placement_.servers()) {
        const auto outline = shard_.table(t).bucket(b).OutlineSnapshot(Since(t, b));
        if (!outline) return GivenUp();
        if (!outline->possible) return false;
        AddCell(CellKind::kBucket, t, b, outline->rows, outline->position);
        file_.versions[t][b] = outline->position.counts.version;
        deltas_.insert(deltas_.end(), {outline->stored, outline->removed});
        tables_[t].rows += outline->stored;
        tables_[t].removed += outline->removed;
        tables_[t].waiting += outline->waiting;
      }
    }
    return true;
  }

  std::optional<uint64_t> Since(uint32_t table, uint32_t bucket) const {
    if (base_ == nullptr) return std::nullopt;
    return (*base_)[table][bucket];
  }

  void AddCell(CellKind kind, uint64_t number, uint64_t first, uint64_t rows,
               const CellPosition& position) {
    const uint64_t row = cells_.size() / kCellColumns;
    const CellCounts& counts = position.counts;
    cells_.insert(cells_.end(), {static_cast<uint64_t>(kind), number, first, rows, counts.version,
                                 counts.updates, counts.examples, counts.dropped});
    file_.dropped += counts.dropped;
    std::vector<std::pair<uint64_t, uint64_t>> marks = position.marks;
    std::sort(marks.begin(), marks.end());
    for (const auto& [task, next] : marks) marks_.insert(marks_.end(), {row, task, next});
  }

  // Those of 8 bytes a value come first, so that all are aligned.
  std::vector<TensorDeclaration> Declarations() const {
    std::vector<TensorDeclaration> tensors;
    tensors.push_back({kCellsTensor, {cells_.size() / kCellColumns, kCellColumns}, "U64"});
    tensors.push_back({kMarksTensor, {marks_.size() / kMarkColumns, kMarkColumns}, "U64"});
    tensors.push_back({kCompleteTensor, {complete_.size() / 2, 2}, "U64"});
    if (file_.delta) {
      tensors.push_back({kDeltasTensor, {deltas_.size() / kDeltaColumns, kDeltaColumns}, "U64"});
    }
    for (uint32_t t = 0; t < shard_.tables(); ++t) {
      const std::string& name = shard_.table(t).spec().name;
      tensors.push_back({TableIdsTensor(name), {tables_[t].rows}, "U64"});
      tensors.push_back({TableWaitingTensor(name), {tables_[t].waiting, kWaitingColumns}, "U64"});
      if (file_.delta) tensors.push_back({TableRemovedTensor(name), {tables_[t].removed}, "U64"});
    }
    for (const uint32_t id : placement_.cells_of_server(rank_)) {
      const CellSpec& spec = placement_.cells()[id];
      const std::string name = BlockName(placement_, spec);
      tensors.push_back({name, {spec.size}});
      for (const std::string& slot : shard_.optimizer(spec.variable).slot_names()) {
        tensors.push_back({BlockSlotTensor(name, slot), {spec.size}});
      }
    }
    for (uint32_t t = 0; t < shard_.tables(); ++t) {
      const TableShard& table = shard_.table(t);
      const std::string& name = table.spec().name;
      const uint64_t rows = tables_[t].rows;
      tensors.push_back({TableRowsTensor(name), {rows, table.dim()}});
      if (table.updater().slot_floats() > 0) {
        tensors.push_back({TableSlotsTensor(name), {rows, table.updater().slot_floats()}});
      }
      tensors.push_back({TableCountersTensor(name), {rows, kRowCounters}, "U32"});
    }
    return tensors;
  }

  absl::Status WriteBlocks() {
    for (const uint32_t id : placement_.cells_of_server(rank_)) {
      const CellSpec& spec = placement_.cells()[id];
      const std::optional<BlockSnapshot> block = shard_.cell(id).TakeSnapshot();
      if (!block) return GivenUp();
      const std::string name = BlockName(placement_, spec);
      CONVOY_RETURN_IF_ERROR(writer_->Write(name, 0, *block->values));
      const std::vector<std::string> slots = shard_.optimizer(spec.variable).slot_names();
      for (size_t s = 0; s < slots.size(); ++s) {
        CONVOY_RETURN_IF_ERROR(
            writer_->Write(BlockSlotTensor(name, slots[s]), 0, block->slots[s].span()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status WriteTable(uint32_t number) {
    TableShard& table = shard_.table(number);
    const std::string& name = table.spec().name;
    const uint64_t slot_floats = table.updater().slot_floats();
    uint64_t row = 0, waiting_row = 0, removed_row = 0;
    for (uint32_t b = rank_; b < kTableBuckets; b += placement_.servers()) {
      const std::optional<BucketSnapshot> bucket = table.bucket(b).TakeSnapshot(Since(number, b));
      if (!bucket) return GivenUp();
      CONVOY_RETURN_IF_ERROR(writer_->WriteU64(TableIdsTensor(name), row, bucket->rows.ids));
      CONVOY_RETURN_IF_ERROR(
          writer_->Write(TableRowsTensor(name), row * table.dim(), bucket->rows.weights));
      if (slot_floats > 0) {
        CONVOY_RETURN_IF_ERROR(
            writer_->Write(TableSlotsTensor(name), row * slot_floats, bucket->rows.slots));
      }
      CONVOY_RETURN_IF_ERROR(
          writer_->WriteU32(TableCountersTensor(name), row * kRowCounters, bucket->rows.counters));
      std::vector<uint64_t> waiting;
      for (const WaitingId& id : bucket->waiting) {
        waiting.insert(waiting.end(), {b, id.id, id.sightings, id.last_step});
      }
      CONVOY_RETURN_IF_ERROR(
          writer_->WriteU64(TableWaitingTensor(name), waiting_row * kWaitingColumns, waiting));
      if (file_.delta) {
        CONVOY_RETURN_IF_ERROR(
            writer_->WriteU64(TableRemovedTensor(name), removed_row, bucket->removed));
        removed_row += bucket->removed.size();
      }
      row += bucket->rows.ids.size();
      waiting_row += bucket->waiting.size();
    }
    return absl::OkStatus();
  }

  struct TableSize {
    uint64_t rows = 0;     // in the file
    uint64_t removed = 0;  // ids
    uint64_t waiting = 0;
  };

  Shard& shard_;
  const Placement& placement_;
  const uint32_t rank_;
  const BucketVersions* base_;  // null: all rows
  ShardFile file_;
  std::vector<uint64_t> cells_;     // [cells, kCellColumns]
  std::vector<uint64_t> marks_;     // [marks, kMarkColumns]
  std::vector<uint64_t> complete_;  // [ranges, 2]
  std::vector<uint64_t> deltas_;    // [buckets, kDeltaColumns]
  std::vector<TableSize> tables_;
  std::unique_ptr<SafetensorsWriter> writer_;
};

}  // namespace

absl::StatusOr<ShardFile> WriteShard(Shard& shard, const Placement& placement, uint32_t rank,
                                     const std::string& folder, const BucketVersions* base) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make folder \"", folder, "\": ", error.message()));
  }
  return ShardWriter(shard, placement, rank, base).Write(folder);
}

}  // namespace convoy
