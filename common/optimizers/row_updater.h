// The update of a table's rows: every column range by the rule that the job sets for "TABLE/RANGE".
//
// A row is dim() weights followed by slot_floats() slots. The slots stand range by range, left to
// right, and within a range slot by slot: with ranges "bias" (1 column, FTRL) and "factors" (2
// columns, Adagrad) a row is
//   w w w | bias/z bias/n factors/a factors/a
// Row by row the bits are those of the dense Optimizer on the same floats. Adam corrects for the
// updates of the row, not of the table.
//
// Rows and sparsity. FTRL with L1 sets weights to exactly 0, yet such a row is not removed: its z
// and n hold the gradients that it has seen, and a row that forgot them at every update would never
// get |z| over lambda1. McMahan et al. (KDD 2013, section 3) count the sparsity of the model that
// is *served*; TensorFlow's FTRL keeps z and n of every row, and Monolith (Liu et al., 2022)
// removes rows by rarity and age, never by value. So here: the memory of rows is bounded by
// admission, expiry and budgets alone, and zero rows are left out of what is exported, see
// ReadsAsUnknown.
#ifndef CONVOY_COMMON_OPTIMIZERS_ROW_UPDATER_H_
#define CONVOY_COMMON_OPTIMIZERS_ROW_UPDATER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/optimizers/difference.h"
#include "common/optimizers/range_rule.h"

namespace convoy {

// What varies from update to update.
struct RowScalars {
  // Times the base rate of each range, in double as for dense cells: the schedule's factor, divided
  // by 1 + staleness where the mode wants that.
  double rate_factor = 1;
  // Number of this update of the row, from 1 (bias correction).
  int64_t update = 1;
  // 1 / examples.
  float inverse_count = 1;
};

// Immutable; may be used from any thread.
class RowUpdater {
 public:
  // Where a slot stands: floats [begin, begin + size) of a row's slots.
  struct SlotColumns {
    std::string name;  // "RANGE/SLOT", e.g. "factors/a"
    uint32_t begin = 0;
    uint32_t size = 0;
    float initial = 0;
  };

  // InvalidArgument: as SettingsFor and MakeOptimizer; a table without columns or a range without.
  static absl::StatusOr<RowUpdater> Create(const v1::Optimizer& optimizer, const TableSpec& table);
  // Adds differences of rows up (local_sgd, geo): no slots but the anchors that `optimizer` has,
  // and rates do not matter. InvalidArgument: as SettingsFor; a table without columns or a range
  // without.
  static absl::StatusOr<RowUpdater> ForDifferences(DifferenceRule rule,
                                                   const v1::Optimizer& optimizer,
                                                   const TableSpec& table);

  uint32_t dim() const { return dim_; }
  uint32_t slot_floats() const { return slot_floats_; }
  // From left to right, without gaps.
  const std::vector<SlotColumns>& slot_columns() const { return slot_columns_; }

  // `slots`: slot_floats() floats, set to their values before the first update.
  void InitializeSlots(float* slots) const;
  // One update in place. gradient: dim() floats, summed over examples, at any address. Ranges with
  // a learning rate of 0 stay as they are, and so do their slots.
  void Apply(const RowScalars& scalars, const float* gradient, float* weights, float* slots) const;
  // All ranges are frozen: no update changes anything.
  bool frozen() const;
  // Whether an exported table says the same without this row: all weights are 0, and so are those
  // of an id that has no row. Never true for tables with initial values other than 0.
  bool ReadsAsUnknown(const float* weights) const;

 private:
  struct Range {
    std::unique_ptr<RangeRule> rule;
    double learning_rate;  // 0: frozen
    uint32_t begin;        // in the weights
    uint32_t slots_begin;  // in the slots
  };

  RowUpdater() = default;
  // Appends the columns of `range`.
  void Add(const ColumnRange& range, std::unique_ptr<RangeRule> rule, double learning_rate);

  std::vector<Range> ranges_;
  std::vector<SlotColumns> slot_columns_;
  uint32_t dim_ = 0;
  uint32_t slot_floats_ = 0;
  bool initial_zeros_ = true;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_OPTIMIZERS_ROW_UPDATER_H_
