#include "common/checkpoint/checkpoint_reader.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/base_checkpoint.h"
#include "common/checkpoint/delta_rows.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/files/safetensors_header.h"
#include "common/math/table.h"
#include "common/placement/placement.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr uint64_t kRowsOfAPiece = 4096;

absl::Status DamagedCheckpoint(const std::string& folder, const std::string& what) {
  return absl::DataLossError(absl::StrCat(folder, ": ", what));
}

absl::Status CheckFileSize(const std::string& path, uint64_t want) {
  std::error_code error;
  const uint64_t got = std::filesystem::file_size(path, error);
  if (error) return absl::DataLossError(absl::StrCat(path, ": ", error.message()));
  if (got == want) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, ": has ", got, " bytes, want ", want, " as manifest.json says"));
}

// `before`: the id before the first one.
absl::Status CheckIdsOfBucket(std::span<const uint64_t> ids, std::optional<uint64_t> before,
                              uint32_t bucket, const SafetensorsReader& file,
                              const std::string& tensor) {
  for (const uint64_t id : ids) {
    if (BucketOf(id) != bucket || (before && id <= *before)) {
      return absl::DataLossError(absl::StrCat(
          file.path(), ": tensor \"", tensor, "\": id ", id,
          BucketOf(id) != bucket ? " is not of bucket " : " is not ascending in bucket ", bucket));
    }
    before = id;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointReader>> CheckpointReader::Open(
    const std::string& folder) {
  auto reader = std::unique_ptr<CheckpointReader>(new CheckpointReader(folder));
  CONVOY_ASSIGN_OR_RETURN(reader->manifest_, ReadManifest(folder));
  CONVOY_RETURN_IF_ERROR(reader->OpenBase());
  CONVOY_RETURN_IF_ERROR(reader->OpenFiles());
  CONVOY_RETURN_IF_ERROR(reader->IndexBlocks());
  CONVOY_RETURN_IF_ERROR(reader->IndexBuckets());
  reader->Describe();
  return reader;
}

absl::Status CheckpointReader::OpenBase() {
  if (!manifest_.base) return absl::OkStatus();
  CONVOY_ASSIGN_OR_RETURN(const std::string path, BaseFolderOf(folder_, manifest_));
  CONVOY_ASSIGN_OR_RETURN(base_, Open(path));
  const auto same = [](const CheckpointTable& a, const CheckpointTable& b) {
    return a.name == b.name && a.ranges == b.ranges && a.slots == b.slots;
  };
  if (std::equal(manifest_.tables.begin(), manifest_.tables.end(), base_->manifest_.tables.begin(),
                 base_->manifest_.tables.end(), same)) {
    return absl::OkStatus();
  }
  return DamagedCheckpoint(folder_, absl::StrCat("has other tables than its base, ", path));
}

absl::Status CheckpointReader::OpenFiles() {
  std::map<std::string, const CheckpointFile*> by_name;
  for (const CheckpointFile& file : manifest_.files) by_name.emplace(file.name, &file);
  const auto servers = static_cast<uint32_t>(by_name.size());
  if (servers > kMaxServers) {
    return DamagedCheckpoint(folder_, absl::StrCat("manifest.json names ", servers,
                                                   " files, want at most ", kMaxServers));
  }
  for (uint32_t server = 0; server < servers; ++server) {
    const std::string name = ServerFileName(server, servers);
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      return DamagedCheckpoint(
          folder_, absl::StrCat("manifest.json names ", servers, " files, but not ", name));
    }
    const std::string path = absl::StrCat(folder_, "/", name);
    CONVOY_RETURN_IF_ERROR(CheckFileSize(path, found->second->bytes));
    CONVOY_ASSIGN_OR_RETURN(auto file, ServerFile::Open(path, server, manifest_));
    files_.push_back(std::move(file));
  }
  return absl::OkStatus();
}

absl::Status CheckpointReader::IndexBlocks() {
  blocks_.resize(manifest_.variables.size());
  for (const auto& file : files_) {
    for (const ServerFile::Block& block : file->blocks()) {
      blocks_[block.variable].push_back({block.begin, block.end, &block.cell, &file->tensors()});
    }
  }
  for (size_t v = 0; v < blocks_.size(); ++v) {
    std::sort(blocks_[v].begin(), blocks_[v].end(),
              [](const Block& a, const Block& b) { return a.begin < b.begin; });
    const CheckpointVariable& variable = manifest_.variables[v];
    uint64_t next = 0;
    for (const Block& block : blocks_[v]) {
      if (block.begin != next) {
        return DamagedCheckpoint(
            folder_,
            absl::StrCat("variable \"", variable.name, "\": the blocks before value ", block.begin,
                         " end at value ", next, ": ",
                         block.begin < next ? "values are there twice" : "values are missing", " (",
                         block.file->path(), ")"));
      }
      next = block.end;
    }
    const uint64_t size = ValuesInShape(variable.shape).value();
    if (next != size) {
      return DamagedCheckpoint(
          folder_, absl::StrCat("variable \"", variable.name, "\": the blocks of all files have ",
                                next, " values, want ", size));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckpointReader::IndexBuckets() {
  buckets_.resize(manifest_.tables.size(), std::vector<Bucket>(kTableBuckets));
  for (const auto& file : files_) {
    for (const ServerFile::Bucket& entry : file->buckets()) {
      Bucket& bucket = buckets_[entry.table][entry.bucket];
      if (bucket.file != nullptr) {
        return DamagedCheckpoint(
            folder_,
            absl::StrCat("table \"", manifest_.tables[entry.table].name, "\": bucket ",
                         entry.bucket, " is there twice, also in ", file->tensors().path()));
      }
      bucket = {&entry, &file->tensors(), file->is_delta()};
      if (!bucket.is_delta) continue;
      // Both are as large as the files that have them; a number that is not would be believed.
      const uint64_t most = base_->bucket_rows(entry.table, entry.bucket) + entry.stored;
      if (entry.rows > most) {
        return DamagedCheckpoint(
            folder_,
            absl::StrCat("table \"", manifest_.tables[entry.table].name, "\": bucket ",
                         entry.bucket, " has ", entry.rows, " rows in ", file->tensors().path(),
                         ", want at most ", most, " with those of its base"));
      }
    }
  }
  for (size_t t = 0; t < buckets_.size(); ++t) {
    const auto missing = std::find_if(buckets_[t].begin(), buckets_[t].end(),
                                      [](const Bucket& bucket) { return bucket.file == nullptr; });
    if (missing == buckets_[t].end()) continue;
    return DamagedCheckpoint(folder_, absl::StrCat("table \"", manifest_.tables[t].name,
                                                   "\": bucket ", missing - buckets_[t].begin(),
                                                   " of ", kTableBuckets, " is in no file"));
  }
  return absl::OkStatus();
}

void CheckpointReader::Describe() {
  for (const CheckpointVariable& variable : manifest_.variables) {
    const auto slots = manifest_.slots.find(variable.name);
    variables_.push_back(
        {variable.name, variable.shape,
         slots == manifest_.slots.end() ? std::vector<std::string>() : slots->second});
  }
  for (size_t t = 0; t < manifest_.tables.size(); ++t) {
    const CheckpointTable& from = manifest_.tables[t];
    Table table{from.name, from.dim(), {}, {}, 0};
    for (const auto& range : from.ranges) table.ranges.push_back({range.name, range.size});
    for (const auto& slot : from.slots) table.slots.push_back({slot.name, slot.size});
    for (const Bucket& bucket : buckets_[t]) table.rows += bucket.entry->rows;
    tables_.push_back(std::move(table));
  }
}

absl::Status CheckpointReader::Read(size_t variable, std::optional<size_t> slot, uint64_t first,
                                    std::span<float> out) const {
  const std::vector<Block>& blocks = blocks_[variable];
  const uint64_t size = blocks.back().end;
  if (first > size || out.size() > size - first) {
    return absl::OutOfRangeError(absl::StrCat(folder_, ": variable \"", variables_[variable].name,
                                              "\" has ", size, " values, want ", out.size(),
                                              " from ", first));
  }
  auto block = std::upper_bound(blocks.begin(), blocks.end(), first,
                                [](uint64_t value, const Block& b) { return value < b.end; });
  for (; !out.empty(); ++block) {
    const size_t count = std::min<uint64_t>(out.size(), block->end - first);
    std::string name = BlockTensor(variables_[variable].name, block->begin, block->end);
    if (slot) name = BlockSlotTensor(name, variables_[variable].slots[*slot]);
    CONVOY_RETURN_IF_ERROR(block->file->ReadInto(name, first - block->begin, out.first(count)));
    out = out.subspan(count);
    first += count;
  }
  return absl::OkStatus();
}

uint64_t CheckpointReader::Updates(size_t variable, uint64_t value) const {
  const std::vector<Block>& blocks = blocks_[variable];
  const auto block = std::upper_bound(blocks.begin(), blocks.end(), value,
                                      [](uint64_t at, const Block& b) { return at < b.end; });
  return block == blocks.end() ? 0 : block->cell->updates;
}

absl::Status CheckpointReader::ReadPiece(size_t table, const Bucket& bucket, uint64_t first,
                                         uint64_t count, BucketRows* rows) const {
  const std::string& name = tables_[table].name;
  const uint64_t dim = manifest_.tables[table].dim();
  const uint64_t slots = manifest_.tables[table].slot_floats();
  const uint64_t row = bucket.entry->first_row + first;
  rows->ids.resize(count);
  rows->weights.resize(count * dim);
  rows->slots.resize(count * slots);
  rows->counters.resize(count * kRowCounters);
  CONVOY_RETURN_IF_ERROR(bucket.file->ReadU64Into(TableIdsTensor(name), row, rows->ids));
  CONVOY_RETURN_IF_ERROR(bucket.file->ReadInto(TableRowsTensor(name), row * dim, rows->weights));
  if (slots > 0) {
    CONVOY_RETURN_IF_ERROR(bucket.file->ReadInto(TableSlotsTensor(name), row * slots, rows->slots));
  }
  return bucket.file->ReadU32Into(TableCountersTensor(name), row * kRowCounters, rows->counters);
}

absl::Status CheckpointReader::ReadIds(size_t table, const Bucket& bucket, uint64_t first,
                                       uint64_t count, std::optional<uint64_t> before,
                                       BucketRows* rows) const {
  CONVOY_RETURN_IF_ERROR(ReadPiece(table, bucket, first, count, rows));
  return CheckIdsOfBucket(rows->ids, before, bucket.entry->bucket, *bucket.file,
                          TableIdsTensor(tables_[table].name));
}

absl::Status CheckpointReader::ReadRows(size_t table,
                                        absl::FunctionRef<absl::Status(const Rows&)> fn) const {
  BucketRows rows;
  for (const Bucket& bucket : buckets_[table]) {
    if (bucket.is_delta) {
      CONVOY_RETURN_IF_ERROR(ReadDelta(table, bucket, &rows));
      if (!rows.ids.empty()) {
        CONVOY_RETURN_IF_ERROR(fn({rows.ids, rows.weights, rows.slots, rows.counters}));
      }
      continue;
    }
    std::optional<uint64_t> before;
    for (uint64_t first = 0; first < bucket.entry->rows; first += kRowsOfAPiece) {
      const uint64_t count = std::min(kRowsOfAPiece, bucket.entry->rows - first);
      CONVOY_RETURN_IF_ERROR(ReadIds(table, bucket, first, count, before, &rows));
      CONVOY_RETURN_IF_ERROR(fn({rows.ids, rows.weights, rows.slots, rows.counters}));
      before = rows.ids.back();
    }
  }
  return absl::OkStatus();
}

absl::Status CheckpointReader::ReadDelta(size_t table, const Bucket& bucket,
                                         BucketRows* rows) const {
  const ServerFile::Bucket& entry = *bucket.entry;
  BucketRows base, changed;
  CONVOY_RETURN_IF_ERROR(base_->ReadBucket(table, entry.bucket, &base));
  CONVOY_RETURN_IF_ERROR(ReadIds(table, bucket, 0, entry.stored, std::nullopt, &changed));
  const std::string tensor = TableRemovedTensor(tables_[table].name);
  std::vector<uint64_t> removed(entry.removed);
  CONVOY_RETURN_IF_ERROR(bucket.file->ReadU64Into(tensor, entry.first_removed, removed));
  CONVOY_RETURN_IF_ERROR(
      CheckIdsOfBucket(removed, std::nullopt, entry.bucket, *bucket.file, tensor));
  *rows = ApplyDelta(base, changed, removed);
  if (rows->ids.size() == entry.rows) return absl::OkStatus();
  return DamagedCheckpoint(
      folder_, absl::StrCat("table \"", tables_[table].name, "\", bucket ", entry.bucket, ": has ",
                            rows->ids.size(), " rows with those of its base, want ", entry.rows));
}

const CheckpointReader::Block* CheckpointReader::FindBlock(size_t variable, uint64_t begin) const {
  const std::vector<Block>& blocks = blocks_[variable];
  const auto found =
      std::lower_bound(blocks.begin(), blocks.end(), begin,
                       [](const Block& block, uint64_t value) { return block.begin < value; });
  return found == blocks.end() || found->begin != begin ? nullptr : &*found;
}

const CheckpointCell& CheckpointReader::bucket_cell(size_t table, uint32_t bucket) const {
  return buckets_[table][bucket].entry->cell;
}

uint64_t CheckpointReader::bucket_rows(size_t table, uint32_t bucket) const {
  return buckets_[table][bucket].entry->rows;
}

absl::Status CheckpointReader::ReadBucket(size_t table, uint32_t bucket, BucketRows* rows) const {
  const Bucket& from = buckets_[table][bucket];
  if (from.is_delta) return ReadDelta(table, from, rows);
  return ReadIds(table, from, 0, from.entry->rows, std::nullopt, rows);
}

absl::StatusOr<std::vector<WaitingId>> CheckpointReader::ReadWaiting(size_t table,
                                                                     uint32_t bucket) const {
  const Bucket& from = buckets_[table][bucket];
  const std::string tensor = TableWaitingTensor(tables_[table].name);
  std::vector<uint64_t> values(from.entry->waiting * kWaitingColumns);
  CONVOY_RETURN_IF_ERROR(
      from.file->ReadU64Into(tensor, from.entry->first_waiting * kWaitingColumns, values));
  std::vector<WaitingId> waiting;
  std::vector<uint64_t> ids;
  for (size_t at = 0; at < values.size(); at += kWaitingColumns) {
    waiting.push_back({values[at + 1], values[at + 2], values[at + 3]});
    ids.push_back(values[at + 1]);
  }
  CONVOY_RETURN_IF_ERROR(CheckIdsOfBucket(ids, std::nullopt, bucket, *from.file, tensor));
  return waiting;
}

uint64_t CheckpointReader::waiting_ids(size_t table) const {
  uint64_t ids = 0;
  for (const Bucket& bucket : buckets_[table]) ids += bucket.entry->waiting;
  return ids;
}

}  // namespace convoy
