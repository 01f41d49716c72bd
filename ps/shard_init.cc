#include "ps/shard_init.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status InitBlock(const InitValues& init, const CellSpec& spec,
                       const std::vector<std::string>& slot_names, Cell& cell) {
  const auto first = static_cast<uint64_t>(spec.offset);
  CellPosition position;
  position.counts.updates = init.Updates(spec.variable, first, spec.size);
  const Cell::State fresh = cell.GetState();
  BlockSnapshot block = cell.MakeSnapshot(std::move(position));
  std::ranges::copy(fresh.values, block.values->data());
  CONVOY_RETURN_IF_ERROR(init.Load(spec.variable, first, *block.values));
  for (size_t s = 0; s < block.slots.size(); ++s) {
    std::ranges::copy(fresh.slots[s], block.slots[s].data());
    CONVOY_RETURN_IF_ERROR(
        init.LoadSlot(spec.variable, slot_names[s], first, block.slots[s].span()));
  }
  cell.Restore(std::move(block));
  return absl::OkStatus();
}

// Appends row `i` of `rows` to those of a bucket.
void AppendInitRow(const InitRows& rows, size_t i, size_t dim, size_t slot_floats, BucketRows* to) {
  const auto append = [i](const auto& from, size_t width, auto* all) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(i * width);
    all->insert(all->end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  };
  to->ids.push_back(rows.ids[i]);
  append(rows.weights, dim, &to->weights);
  append(rows.slots, slot_floats, &to->slots);
  append(rows.counters, 2, &to->counters);
}

}  // namespace

absl::Status InitTable(const InitValues& init, size_t number, uint32_t rank, uint32_t servers,
                       uint64_t seed, TableShard& table) {
  const size_t dim = table.dim(), slot_floats = table.updater().slot_floats();
  uint64_t all = 0, loaded = 0;
  // Archives of Convoy have the rows of a bucket together: one piece, or a few.
  const auto add = [&](const InitRows& rows) -> absl::Status {
    // Of all servers, whose shares are not alike: whether a job begins does not depend on how many
    // there are. A bucket that is beyond its own share takes no other row or evicts some.
    all += rows.ids.size();
    if (all > table.max_rows()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "table \"", table.spec().name, "\": init.from has more rows than the ", table.max_rows(),
          " that it may have: raise table.max_rows or table.max_mb, or leave some out"));
    }
    for (size_t i = 0; i < rows.ids.size();) {
      const uint32_t bucket = BucketOf(rows.ids[i]);
      BucketSnapshot piece;
      for (; i < rows.ids.size() && BucketOf(rows.ids[i]) == bucket; ++i) {
        AppendInitRow(rows, i, dim, slot_floats, &piece.rows);
      }
      if (bucket % servers != rank) continue;
      loaded += piece.rows.ids.size();
      CONVOY_RETURN_IF_ERROR(table.bucket(bucket).Restore(piece));
    }
    return absl::OkStatus();
  };
  CONVOY_RETURN_IF_ERROR(init.ReadRows(number, table.spec(), table.updater(), seed, add));
  if (table.GetRowCounts().rows == loaded) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("table \"", table.spec().name, "\": some id is twice among the ", loaded,
                   " rows that it is to begin with on server ", rank));
}

absl::Status InitShard(const InitValues& init, const Placement& placement, uint32_t rank,
                       uint64_t seed, Shard& shard) {
  for (const uint32_t id : placement.cells_of_server(rank)) {
    const CellSpec& spec = placement.cells()[id];
    CONVOY_RETURN_IF_ERROR(
        InitBlock(init, spec, shard.optimizer(spec.variable).slot_names(), shard.cell(id)));
  }
  for (uint32_t t = 0; t < shard.tables(); ++t) {
    CONVOY_RETURN_IF_ERROR(InitTable(init, t, rank, placement.servers(), seed, shard.table(t)));
  }
  return absl::OkStatus();
}

}  // namespace convoy
