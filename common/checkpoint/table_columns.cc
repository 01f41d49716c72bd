#include "common/checkpoint/table_columns.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/optimizers/anchored.h"

namespace convoy {
namespace {

struct StoredColumns {
  uint32_t begin = 0;
  uint32_t size = 0;  // 0: there are none of that name
};

StoredColumns FindColumns(const std::vector<WeightArchive::Table::Columns>& all,
                          const std::string& name) {
  uint32_t begin = 0;
  for (const auto& columns : all) {
    if (columns.name == name) return {begin, columns.size};
    begin += columns.size;
  }
  return {};
}

std::string DescribeRanges(const auto& ranges) {
  return absl::StrJoin(ranges, ", ", [](std::string* out, const auto& range) {
    absl::StrAppend(out, range.name, " ", range.size);
  });
}

// The slots of a range, but for its anchor: what follows "RANGE/" in their names.
std::set<std::string> SlotsOfRange(const auto& slots, const std::string& range) {
  std::set<std::string> names;
  for (const auto& slot : slots) {
    if (slot.name.starts_with(range + "/") && !IsAnchorSlot(slot.name))
      names.insert(slot.name.substr(range.size() + 1));
  }
  return names;
}

TableFit FitUnknownColumns(const TableSpec& table, const WeightArchive::Table& stored) {
  if (stored.dim == table.dim()) return {};
  const std::string difference =
      absl::StrCat("has ", stored.dim, " columns there and ", table.dim(), " here");
  const bool wider = table.ranges.size() == 1 && stored.dim < table.dim();
  return {wider ? TableFit::Kind::kWider : TableFit::Kind::kNot, difference};
}

}  // namespace

TableFit FitTable(const TableSpec& table, const WeightArchive::Table& stored) {
  if (stored.ranges.empty()) return FitUnknownColumns(table, stored);
  bool same = table.ranges.size() == stored.ranges.size(), smaller = false;
  for (const ColumnRange& range : table.ranges) {
    const uint32_t size = FindColumns(stored.ranges, range.name).size;
    same = same && size == range.size;
    smaller = smaller || size > range.size;
  }
  if (same) return {};
  return {smaller ? TableFit::Kind::kNot : TableFit::Kind::kWider,
          absl::StrCat("has the columns [", DescribeRanges(stored.ranges), "] there and [",
                       DescribeRanges(table.ranges), "] here")};
}

std::vector<ColumnRun> WeightColumns(const TableSpec& table, const WeightArchive::Table& stored) {
  if (stored.ranges.empty()) return {{0, 0, stored.dim}};
  std::vector<ColumnRun> runs;
  uint32_t begin = 0;
  for (const ColumnRange& range : table.ranges) {
    const StoredColumns columns = FindColumns(stored.ranges, range.name);
    if (columns.size > 0) runs.push_back({begin, columns.begin, columns.size});
    begin += range.size;
  }
  return runs;
}

std::vector<std::string> LoadableRowSlots(const TableSpec& table, const RowUpdater& updater,
                                          const WeightArchive::Table& stored) {
  std::vector<std::string> names;
  for (const ColumnRange& range : table.ranges) {
    const std::set<std::string> slots = SlotsOfRange(updater.slot_columns(), range.name);
    if (slots != SlotsOfRange(stored.slots, range.name)) continue;
    const uint32_t stored_size = FindColumns(stored.ranges, range.name).size;
    for (const RowUpdater::SlotColumns& slot : updater.slot_columns()) {
      if (!slot.name.starts_with(range.name + "/") || IsAnchorSlot(slot.name)) continue;
      const uint32_t size = FindColumns(stored.slots, slot.name).size;
      // One float for each column, or one for all of them, which are the same of one column.
      const bool same_kind = stored_size == 1 || (slot.size == range.size) == (size == stored_size);
      if (same_kind && size <= slot.size) names.push_back(slot.name);
    }
  }
  return names;
}

std::vector<ColumnRun> AnchorColumns(const TableSpec& table, const RowUpdater& updater,
                                     const WeightArchive::Table& stored) {
  const std::vector<ColumnRun> weights = WeightColumns(table, stored);
  std::vector<ColumnRun> runs;
  uint32_t begin = 0;  // of the range
  for (const ColumnRange& range : table.ranges) {
    const auto slot =
        std::ranges::find(updater.slot_columns(), absl::StrCat(range.name, "/", kAnchorSlot),
                          &RowUpdater::SlotColumns::name);
    for (const ColumnRun& run : weights) {
      const uint32_t first = std::max(begin, run.to);
      const uint32_t last = std::min(begin + range.size, run.to + run.size);
      if (slot == updater.slot_columns().end() || first >= last) continue;
      runs.push_back({slot->begin + (first - begin), run.from + (first - run.to), last - first});
    }
    begin += range.size;
  }
  return runs;
}

std::vector<ColumnRun> SlotColumns(const RowUpdater& updater, const WeightArchive::Table& stored,
                                   std::span<const std::string> slots) {
  std::vector<ColumnRun> runs;
  for (const RowUpdater::SlotColumns& slot : updater.slot_columns()) {
    if (std::ranges::find(slots, slot.name) == slots.end()) continue;
    const StoredColumns columns = FindColumns(stored.slots, slot.name);
    runs.push_back({slot.begin, columns.begin, std::min(slot.size, columns.size)});
  }
  return runs;
}

}  // namespace convoy
