// Which columns of a stored table are which of a table of the model.
#ifndef CONVOY_COMMON_CHECKPOINT_TABLE_COLUMNS_H_
#define CONVOY_COMMON_CHECKPOINT_TABLE_COLUMNS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/checkpoint/weight_archive.h"
#include "common/math/table.h"
#include "common/optimizers/row_updater.h"

namespace convoy {

// Columns [to, to + size) here are [from, from + size) there.
struct ColumnRun {
  uint32_t to = 0;
  uint32_t from = 0;
  uint32_t size = 0;
};

struct TableFit {
  enum class Kind {
    kSame,   // the same ranges, of the same sizes
    kWider,  // some range is new, gone or larger than there
    kNot,    // some range is smaller than there, or it is not known what the columns are
  };
  Kind kind = Kind::kSame;
  std::string difference;  // for people; empty: kSame
};

// A stored table whose ranges are not known is the same if it has as many columns; if it has fewer,
// and the model's table is a single range, this one is wider.
TableFit FitTable(const TableSpec& table, const WeightArchive::Table& stored);

// The weights of a table that fits. Ranges are found by name; the first columns of each are the
// same.
std::vector<ColumnRun> WeightColumns(const TableSpec& table, const WeightArchive::Table& stored);

// Names "RANGE/SLOT" of the slots that can be loaded: those of ranges that have the same slots by
// name there. Anchors are not among them.
std::vector<std::string> LoadableRowSlots(const TableSpec& table, const RowUpdater& updater,
                                          const WeightArchive::Table& stored);
// The anchors of a table that fits, in its slots: where the weights that are theirs stand in the
// stored rows.
std::vector<ColumnRun> AnchorColumns(const TableSpec& table, const RowUpdater& updater,
                                     const WeightArchive::Table& stored);
// The slots of these names.
std::vector<ColumnRun> SlotColumns(const RowUpdater& updater, const WeightArchive::Table& stored,
                                   std::span<const std::string> slots);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_TABLE_COLUMNS_H_
