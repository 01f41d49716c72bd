#include "common/checkpoint/server_file.h"

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/expected_tensors.h"
#include "common/math/table.h"
#include "common/status.h"

namespace convoy {
namespace {
constexpr size_t kWaitingPiece = 4096;  // rows of TABLE/waiting read at once
}  // namespace

class ServerFileCheck {
 public:
  ServerFileCheck(const CheckpointManifest& manifest, ServerFile* file)
      : manifest_(manifest), file_(*file), tensors_(*file->tensors_) {}

  absl::Status Run(uint32_t server) {
    server_ = server;
    CONVOY_RETURN_IF_ERROR(CheckMetadata(server));
    CONVOY_RETURN_IF_ERROR(ReadCells());
    CONVOY_RETURN_IF_ERROR(ReadMarks());
    CONVOY_RETURN_IF_ERROR(ReadComplete());
    CONVOY_RETURN_IF_ERROR(ReadDeltas());
    for (ServerFile::Block& block : file_.blocks_) CONVOY_RETURN_IF_ERROR(CheckBlock(block));
    for (uint32_t t = 0; t < manifest_.tables.size(); ++t) CONVOY_RETURN_IF_ERROR(CheckTable(t));
    return tensors_.CheckNoneLeft();
  }

 private:
  absl::Status CheckMetadata(uint32_t server) const {
    const std::string want_server =
        ServerOfServers(server, static_cast<uint32_t>(manifest_.files.size()));
    const std::pair<std::string, std::string> wanted[] = {{"format", kServerFileFormat},
                                                          {"server", want_server}};
    for (const auto& [key, want] : wanted) {
      const auto& metadata = file_.tensors_->metadata();
      const auto found = metadata.find(key);
      const std::string got = found == metadata.end() ? "" : found->second;
      if (got != want) {
        return absl::DataLossError(
            absl::StrCat("__metadata__ ", key, ": got \"", got, "\", want \"", want, "\""));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadCells() {
    CONVOY_ASSIGN_OR_RETURN(const uint64_t rows, tensors_.TakeRows(kCellsTensor, kCellColumns));
    CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> cells,
                            file_.tensors_->ReadU64(kCellsTensor));
    if (rows == 0) return BadTensor(kCellsTensor, "has no rows");
    for (uint64_t row = 0; row < rows; ++row) {
      CONVOY_RETURN_IF_ERROR(
          AddCell(row, std::span(cells).subspan(row * kCellColumns, kCellColumns)));
    }
    // The vectors grow no more.
    for (uint64_t row = 0; row < rows; ++row) {
      const auto [kind, index] = places_[row];
      by_row_.push_back(kind == CellKind::kServer  ? &file_.own_cell_
                        : kind == CellKind::kBlock ? &file_.blocks_[index].cell
                                                   : &file_.buckets_[index].cell);
    }
    return absl::OkStatus();
  }

  absl::Status AddCell(uint64_t row, std::span<const uint64_t> c) {
    const auto [number, first, rows] = std::tuple(c[1], c[2], c[3]);
    const CheckpointCell cell{server_, c[4], c[5], c[6], c[7], {}};
    const auto kind = static_cast<CellKind>(c[0]);
    if ((kind == CellKind::kServer) != (row == 0)) return BadCell(row, "want kind 0 in row 0 only");
    if (kind == CellKind::kServer) {
      if (number != 0 || first != 0 || rows != 0) return BadCell(row, "want zeros after kind 0");
      places_.emplace_back(kind, 0);
      file_.own_cell_ = cell;
    } else if (kind == CellKind::kBlock) {
      if (number >= manifest_.variables.size()) return BadCell(row, "there is no such variable");
      if (rows != 0) return BadCell(row, "want 0 rows in a block");
      places_.emplace_back(kind, file_.blocks_.size());
      file_.blocks_.push_back({static_cast<uint32_t>(number), first, 0, cell});
    } else if (kind == CellKind::kBucket) {
      if (number >= manifest_.tables.size()) return BadCell(row, "there is no such table");
      if (first >= kTableBuckets) return BadCell(row, "there is no such bucket");
      places_.emplace_back(kind, file_.buckets_.size());
      ServerFile::Bucket& bucket = file_.buckets_.emplace_back();
      bucket.table = static_cast<uint32_t>(number);
      bucket.bucket = static_cast<uint32_t>(first);
      bucket.rows = bucket.stored = rows;
      bucket.cell = cell;
    } else {
      return BadCell(row, absl::StrCat("got kind ", c[0], ", want 0, 1 or 2"));
    }
    return absl::OkStatus();
  }

  static absl::Status BadCell(uint64_t row, std::string_view what) {
    return BadTensor(kCellsTensor, absl::StrCat("row ", row, ": ", std::string(what)));
  }

  absl::Status ReadMarks() {
    CONVOY_RETURN_IF_ERROR(tensors_.TakeRows(kMarksTensor, kMarkColumns).status());
    CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> marks,
                            file_.tensors_->ReadU64(kMarksTensor));
    std::set<std::pair<uint64_t, uint64_t>> seen;
    for (size_t at = 0; at < marks.size(); at += kMarkColumns) {
      const uint64_t row = marks[at], task = marks[at + 1];
      if (row >= by_row_.size() || !seen.emplace(row, task).second) {
        return BadTensor(
            kMarksTensor,
            absl::StrCat("row ", at / kMarkColumns, ": cell ", row, ", task ", task,
                         row >= by_row_.size() ? ": there is no such cell" : " is there twice"));
      }
      by_row_[row]->marks.push_back({task, marks[at + 2]});
    }
    return absl::OkStatus();
  }

  absl::Status ReadComplete() {
    CONVOY_RETURN_IF_ERROR(tensors_.TakeRows(kCompleteTensor, 2).status());
    CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> ranges,
                            file_.tensors_->ReadU64(kCompleteTensor));
    for (size_t at = 0; at < ranges.size(); at += 2) {
      const bool too_large = ranges[at + 1] == std::numeric_limits<uint64_t>::max();
      if (too_large || ranges[at + 1] < ranges[at] || (at > 0 && ranges[at] <= ranges[at - 1])) {
        return BadTensor(
            kCompleteTensor,
            absl::StrCat("row ", at / 2, ": want ascending ranges [first, last] below 2^64 - 1"));
      }
      file_.complete_.emplace_back(ranges[at], ranges[at + 1]);
    }
    return absl::OkStatus();
  }

  absl::Status ReadDeltas() {
    file_.is_delta_ = file_.tensors_->Find(kDeltasTensor) != nullptr;
    if (!file_.is_delta_) return absl::OkStatus();
    if (!manifest_.base)
      return BadTensor(kDeltasTensor, "is there, but manifest.json names no base");
    CONVOY_ASSIGN_OR_RETURN(const uint64_t rows, tensors_.TakeRows(kDeltasTensor, kDeltaColumns));
    if (rows != file_.buckets_.size()) {
      return BadTensor(kDeltasTensor, absl::StrCat("has ", rows, " rows, want one for each of the ",
                                                   file_.buckets_.size(), " buckets"));
    }
    CONVOY_ASSIGN_OR_RETURN(const std::vector<uint64_t> deltas,
                            file_.tensors_->ReadU64(kDeltasTensor));
    for (uint64_t row = 0; row < rows; ++row) {
      ServerFile::Bucket& bucket = file_.buckets_[row];
      bucket.stored = deltas[row * kDeltaColumns];
      bucket.removed = deltas[row * kDeltaColumns + 1];
      if (bucket.stored > bucket.rows) {
        return BadTensor(kDeltasTensor,
                         absl::StrCat("row ", row, ": more rows than the bucket has"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckBlock(ServerFile::Block& block) {
    const std::string& variable = manifest_.variables[block.variable].name;
    CONVOY_ASSIGN_OR_RETURN(block.end, tensors_.EndOfBlock(variable, block.begin));
    const std::string name = BlockTensor(variable, block.begin, block.end);
    if (block.end <= block.begin) return BadTensor(name, "has no values");
    const std::vector<uint64_t> shape = {block.end - block.begin};
    CONVOY_RETURN_IF_ERROR(tensors_.Take(name, "F32", shape));
    const auto slots = manifest_.slots.find(variable);
    if (slots == manifest_.slots.end()) return absl::OkStatus();
    for (const std::string& slot : slots->second) {
      CONVOY_RETURN_IF_ERROR(tensors_.Take(BlockSlotTensor(name, slot), "F32", shape));
    }
    return absl::OkStatus();
  }

  absl::Status CheckTable(uint32_t number) {
    const CheckpointTable& table = manifest_.tables[number];
    CONVOY_ASSIGN_OR_RETURN(const uint64_t rows,
                            tensors_.TakeValues(TableIdsTensor(table.name), "U64"));
    CONVOY_RETURN_IF_ERROR(tensors_.Take(TableRowsTensor(table.name), "F32", {rows, table.dim()}));
    if (table.slot_floats() > 0) {
      CONVOY_RETURN_IF_ERROR(
          tensors_.Take(TableSlotsTensor(table.name), "F32", {rows, table.slot_floats()}));
    }
    CONVOY_RETURN_IF_ERROR(
        tensors_.Take(TableCountersTensor(table.name), "U32", {rows, kRowCounters}));
    CONVOY_RETURN_IF_ERROR(PlaceIds(number, TableIdsTensor(table.name), rows, kCellsTensor,
                                    &ServerFile::Bucket::stored, &ServerFile::Bucket::first_row));
    if (file_.is_delta_) {
      const std::string name = TableRemovedTensor(table.name);
      CONVOY_ASSIGN_OR_RETURN(const uint64_t removed, tensors_.TakeValues(name, "U64"));
      CONVOY_RETURN_IF_ERROR(PlaceIds(number, name, removed, kDeltasTensor,
                                      &ServerFile::Bucket::removed,
                                      &ServerFile::Bucket::first_removed));
    }
    return PlaceWaiting(number);
  }

  // Gives each bucket its part of a tensor that has `rows` rows: `count` of them, from `first` on.
  absl::Status PlaceIds(uint32_t table, const std::string& tensor, uint64_t rows,
                        const char* wanted_by, uint64_t ServerFile::Bucket::*count,
                        uint64_t ServerFile::Bucket::*first) {
    uint64_t next = 0;
    for (ServerFile::Bucket& bucket : file_.buckets_) {
      if (bucket.table != table) continue;
      bucket.*first = next;
      if (bucket.*count > rows - next) {
        next = rows + 1;
        break;
      }
      next += bucket.*count;
    }
    if (next == rows) return absl::OkStatus();
    return BadTensor(tensor, absl::StrCat("has ", rows, " rows, \"", wanted_by, "\" wants ",
                                          next > rows ? "more" : "fewer"));
  }

  // Gives each bucket its part of TABLE/waiting.
  absl::Status PlaceWaiting(uint32_t table) {
    const std::string name = TableWaitingTensor(manifest_.tables[table].name);
    CONVOY_ASSIGN_OR_RETURN(const uint64_t rows, tensors_.TakeRows(name, kWaitingColumns));
    std::vector<uint64_t> piece;
    auto bucket = file_.buckets_.begin();
    for (uint64_t row = 0; row < rows; ++row) {
      const size_t in_piece = row % kWaitingPiece;
      if (in_piece == 0) {
        piece.resize(std::min<uint64_t>(kWaitingPiece, rows - row) * kWaitingColumns);
        CONVOY_RETURN_IF_ERROR(file_.tensors_->ReadU64Into(name, row * kWaitingColumns, piece));
      }
      const uint64_t want = piece[in_piece * kWaitingColumns];
      while (bucket != file_.buckets_.end() && (bucket->table != table || bucket->bucket != want)) {
        ++bucket;
      }
      if (bucket == file_.buckets_.end()) {
        return BadTensor(name,
                         absl::StrCat("row ", row, ": bucket ", want,
                                      " is not in this file, or not in the order of \"/cells\""));
      }
      if (bucket->waiting++ == 0) bucket->first_waiting = row;
    }
    return absl::OkStatus();
  }

  const CheckpointManifest& manifest_;
  ServerFile& file_;
  ExpectedTensors tensors_;
  std::vector<std::pair<CellKind, size_t>> places_;  // by row of "/cells": index in its vector
  uint32_t server_ = 0;
  std::vector<CheckpointCell*> by_row_;  // of "/cells"
};

absl::StatusOr<std::unique_ptr<ServerFile>> ServerFile::Open(const std::string& path,
                                                             uint32_t server,
                                                             const CheckpointManifest& manifest) {
  auto file = std::unique_ptr<ServerFile>(new ServerFile());
  CONVOY_ASSIGN_OR_RETURN(file->tensors_, SafetensorsReader::Open(path));
  const absl::Status status = ServerFileCheck(manifest, file.get()).Run(server);
  if (!status.ok()) return Annotate(status, path);
  return file;
}

}  // namespace convoy
