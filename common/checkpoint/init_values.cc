#include "common/checkpoint/init_values.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/init_source.h"
#include "common/checkpoint/shape_overlap.h"
#include "common/checkpoint/table_columns.h"
#include "common/optimizers/anchored.h"
#include "common/status.h"

namespace convoy {
namespace {

using InitItem = v1::InitPlan::Item;

absl::Status OtherArchive(const std::string& path, const std::string& name) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": \"", name,
                   "\" is not what it was when the training was planned; was the file replaced, or "
                   "is it another one on this host?"));
}

std::span<const uint64_t> SizesOf(const google::protobuf::RepeatedField<uint64_t>& sizes) {
  return {sizes.data(), static_cast<size_t>(sizes.size())};
}

// Rows of `from` in the columns of the model.
void CopyColumns(std::span<const ColumnRun> runs, size_t rows, std::span<const float> from,
                 std::span<float> to) {
  if (rows == 0 || from.empty() || to.empty()) return;
  const size_t from_width = from.size() / rows, to_width = to.size() / rows;
  for (size_t row = 0; row < rows; ++row) {
    for (const ColumnRun& run : runs) {
      std::copy_n(from.data() + row * from_width + run.from, run.size,
                  to.data() + row * to_width + run.to);
    }
  }
}

absl::Status CheckAllFinite(std::span<const float> values, const std::string& path,
                            const std::string& name) {
  if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": \"", name,
                   "\" has values that are not finite, as of a model that has diverged; begin with "
                   "other weights, or begin it anew with init.replace"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<InitValues>> InitValues::Open(v1::InitPlan plan) {
  auto values = std::unique_ptr<InitValues>(new InitValues(std::move(plan)));
  CONVOY_ASSIGN_OR_RETURN(values->archive_, OpenArchive(values->plan_.path()));
  CONVOY_RETURN_IF_ERROR(values->FindItems());
  return values;
}

absl::Status InitValues::FindItems() {
  for (const InitItem& item : plan_.variables()) {
    const auto found =
        std::ranges::find(archive_->variables(), item.from(), &WeightArchive::Variable::name);
    variables_.push_back(static_cast<size_t>(found - archive_->variables().begin()));
    if (item.action() == v1::InitPlan::NEW) continue;
    if (found == archive_->variables().end() ||
        !std::ranges::equal(found->shape, item.from_shape())) {
      return OtherArchive(plan_.path(), item.from());
    }
  }
  for (const InitItem& item : plan_.tables()) {
    const auto found =
        std::ranges::find(archive_->tables(), item.from(), &WeightArchive::Table::name);
    tables_.push_back(static_cast<size_t>(found - archive_->tables().begin()));
    if (item.action() == v1::InitPlan::NEW) continue;
    if (found == archive_->tables().end() || found->dim != item.from_shape(0) ||
        found->rows != item.rows()) {
      return OtherArchive(plan_.path(), item.from());
    }
  }
  return absl::OkStatus();
}

absl::Status InitValues::Copy(size_t variable, std::optional<size_t> slot, uint64_t first,
                              std::span<float> out) const {
  const InitItem& item = plan_.variables(static_cast<int>(variable));
  const std::vector<OverlapRun> runs =
      FindOverlap(SizesOf(item.shape()), SizesOf(item.from_shape()), first, out.size());
  if (runs.empty()) return absl::OkStatus();
  // One piece of the file holds them all: values do not change their order.
  const uint64_t begin = runs.front().from;
  std::vector<float> piece(runs.back().from + runs.back().length - begin);
  CONVOY_RETURN_IF_ERROR(archive_->Read(variables_[variable], slot, begin, piece));
  for (const OverlapRun& run : runs) {
    std::copy_n(piece.data() + (run.from - begin), run.length, out.data() + (run.to - first));
  }
  return absl::OkStatus();
}

absl::Status InitValues::Load(size_t variable, uint64_t first, std::span<float> out) const {
  const InitItem& item = plan_.variables(static_cast<int>(variable));
  if (item.action() == v1::InitPlan::NEW) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(Copy(variable, std::nullopt, first, out));
  return CheckAllFinite(out, plan_.path(), item.from());
}

absl::Status InitValues::LoadSlot(size_t variable, const std::string& slot, uint64_t first,
                                  std::span<float> out) const {
  const InitItem& item = plan_.variables(static_cast<int>(variable));
  if (slot == kAnchorSlot) return LoadAnchor(variable, first, out);
  if (std::ranges::find(item.slots(), slot) == item.slots().end()) return absl::OkStatus();
  const std::vector<std::string>& stored = archive_->variables()[variables_[variable]].slots;
  const auto found = std::ranges::find(stored, slot);
  if (found == stored.end()) return OtherArchive(plan_.path(), item.from());
  return Copy(variable, static_cast<size_t>(found - stored.begin()), first, out);
}

// Where nothing is loaded, `out` stays kNotAnchored, which AnchorTo would change.
absl::Status InitValues::LoadAnchor(size_t variable, uint64_t first, std::span<float> out) const {
  const InitItem& item = plan_.variables(static_cast<int>(variable));
  if (item.action() == v1::InitPlan::NEW) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(Copy(variable, std::nullopt, first, out));
  for (const OverlapRun& run :
       FindOverlap(SizesOf(item.shape()), SizesOf(item.from_shape()), first, out.size())) {
    AnchorTo(out.subspan(run.to - first, run.length));
  }
  return absl::OkStatus();
}

uint64_t InitValues::Updates(size_t variable, uint64_t first, uint64_t size) const {
  const InitItem& item = plan_.variables(static_cast<int>(variable));
  if (item.slots().empty()) return 0;
  const std::vector<OverlapRun> runs =
      FindOverlap(SizesOf(item.shape()), SizesOf(item.from_shape()), first, size);
  return runs.empty() ? 0 : archive_->Updates(variables_[variable], runs.front().from);
}

absl::Status InitValues::ReadRows(size_t number, const TableSpec& table, const RowUpdater& updater,
                                  uint64_t seed,
                                  absl::FunctionRef<absl::Status(const InitRows&)> fn) const {
  const InitItem& item = plan_.tables(static_cast<int>(number));
  if (item.action() == v1::InitPlan::NEW) return absl::OkStatus();
  const WeightArchive::Table& stored = archive_->tables()[tables_[number]];
  const std::vector<std::string> slots(item.slots().begin(), item.slots().end());
  const std::vector<ColumnRun> weight_runs = WeightColumns(table, stored);
  const std::vector<ColumnRun> slot_runs = SlotColumns(updater, stored, slots);
  const std::vector<ColumnRun> anchor_runs = AnchorColumns(table, updater, stored);
  const size_t dim = table.dim(), slot_floats = updater.slot_floats();
  InitRows rows;
  return archive_->ReadRows(tables_[number], [&](const WeightArchive::Rows& from) -> absl::Status {
    const size_t count = from.ids.size();
    rows.ids.assign(from.ids.begin(), from.ids.end());
    rows.weights.resize(count * dim);
    rows.slots.resize(count * slot_floats);
    rows.counters.assign(2 * count, 0);
    for (size_t i = 0; i < count; ++i) {
      InitializeRow(table, seed, from.ids[i], {rows.weights.data() + i * dim, dim});
      updater.InitializeSlots(rows.slots.data() + i * slot_floats);
      if (!slots.empty() && !from.counters.empty())
        rows.counters[2 * i + 1] = from.counters[2 * i + 1];
    }
    CopyColumns(weight_runs, count, from.weights, rows.weights);
    CopyColumns(slot_runs, count, from.slots, rows.slots);
    CopyColumns(anchor_runs, count, from.weights, rows.slots);
    for (size_t i = 0; i < count; ++i) {
      for (const ColumnRun& run : anchor_runs)
        AnchorTo({rows.slots.data() + i * slot_floats + run.to, run.size});
    }
    CONVOY_RETURN_IF_ERROR(CheckAllFinite(rows.weights, plan_.path(), item.from()));
    return fn(rows);
  });
}

}  // namespace convoy
