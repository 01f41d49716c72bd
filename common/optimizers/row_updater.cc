#include "common/optimizers/row_updater.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

bool StartsAtZero(const Initializer& initializer) {
  return initializer.kind == Initializer::Kind::kZeros || initializer.scale == 0;
}

std::string NameOf(const TableSpec& table, const ColumnRange& range) {
  return absl::StrCat(table.name, "/", range.name);
}

absl::Status CheckColumns(const TableSpec& table) {
  if (table.ranges.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("table \"", table.name, "\": got no columns, want at least one"));
  }
  for (const ColumnRange& range : table.ranges) {
    if (range.size > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("column range \"", NameOf(table, range),
                                                   "\": got 0 columns, want at least one"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RowUpdater> RowUpdater::Create(const v1::Optimizer& optimizer,
                                              const TableSpec& table) {
  CONVOY_RETURN_IF_ERROR(CheckColumns(table));
  RowUpdater updater;
  for (const ColumnRange& range : table.ranges) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings,
                            SettingsFor(optimizer, NameOf(table, range)));
    CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<RangeRule> rule, MakeRangeRule(settings, range.size));
    updater.Add(range, std::move(rule), settings.learning_rate);
  }
  return updater;
}

absl::StatusOr<RowUpdater> RowUpdater::ForDifferences(DifferenceRule rule,
                                                      const v1::Optimizer& optimizer,
                                                      const TableSpec& table) {
  CONVOY_RETURN_IF_ERROR(CheckColumns(table));
  RowUpdater updater;
  for (const ColumnRange& range : table.ranges) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings,
                            SettingsFor(optimizer, NameOf(table, range)));
    updater.Add(range, MakeRangeRule(MakeDifference(rule, settings), range.size),
                /*learning_rate=*/1);
  }
  return updater;
}

void RowUpdater::Add(const ColumnRange& range, std::unique_ptr<RangeRule> rule,
                     double learning_rate) {
  const std::vector<RangeRule::Slot> slots = rule->slots();
  ranges_.push_back({std::move(rule), learning_rate, dim_, slot_floats_});
  for (const RangeRule::Slot& slot : slots) {
    slot_columns_.push_back(
        {absl::StrCat(range.name, "/", slot.name), slot_floats_, slot.size, slot.initial});
    slot_floats_ += slot.size;
  }
  dim_ += range.size;
  initial_zeros_ = initial_zeros_ && StartsAtZero(range.initializer);
}

void RowUpdater::InitializeSlots(float* slots) const {
  for (const SlotColumns& slot : slot_columns_) {
    std::fill_n(slots + slot.begin, slot.size, slot.initial);
  }
}

void RowUpdater::Apply(const RowScalars& scalars, const float* gradient, float* weights,
                       float* slots) const {
  for (const Range& range : ranges_) {
    if (range.learning_rate == 0) continue;
    const float rate = static_cast<float>(range.learning_rate * scalars.rate_factor);
    range.rule->Apply({rate, scalars.update, scalars.inverse_count}, gradient + range.begin,
                      weights + range.begin, slots + range.slots_begin);
  }
}

bool RowUpdater::frozen() const {
  return std::ranges::all_of(ranges_, [](const Range& range) { return range.learning_rate == 0; });
}

bool RowUpdater::ReadsAsUnknown(const float* weights) const {
  return initial_zeros_ && std::all_of(weights, weights + dim_, [](float w) { return w == 0; });
}

}  // namespace convoy
