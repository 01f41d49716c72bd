#include "worker/weight_copy.h"

#include <algorithm>
#include <utility>

namespace convoy {

WeightCopy::WeightCopy(const Placement* placement, bool hold)
    : placement_(placement),
      hold_(hold),
      versions_(placement->cells().size()),
      aside_versions_(placement->cells().size()),
      is_aside_(placement->cells().size()),
      cells_aside_(placement->variables().size()) {
  for (const VariableSpec& variable : placement->variables()) {
    shown_.emplace_back(static_cast<size_t>(variable.size()));
    aside_.emplace_back(hold ? static_cast<size_t>(variable.size()) : 0);
  }
}

void WeightCopy::Arrive(const CellValues& values) {
  const CellSpec& cell = placement_->cells()[values.cell];
  std::vector<AlignedBuffer>& weights = hold_ ? aside_ : shown_;
  values.values.CopyTo(weights[cell.variable].data() + cell.offset);
  (hold_ ? aside_versions_ : versions_)[cell.id] = values.version;
  if (!hold_ || is_aside_[cell.id]) return;
  is_aside_[cell.id] = true;
  ++cells_aside_[cell.variable];
}

std::span<const float> WeightCopy::Show(uint32_t variable) {
  const std::span<const CellSpec> cells = placement_->cells_of_variable(variable);
  const size_t count = std::exchange(cells_aside_[variable], 0);
  const bool all = count == cells.size();
  if (all) std::swap(shown_[variable], aside_[variable]);
  for (size_t i = 0; count > 0 && i < cells.size(); ++i) {
    const CellSpec& cell = cells[i];
    if (!is_aside_[cell.id]) continue;
    if (!all)
      std::copy_n(aside_[variable].data() + cell.offset, cell.size,
                  shown_[variable].data() + cell.offset);
    versions_[cell.id] = aside_versions_[cell.id];
    is_aside_[cell.id] = false;
  }
  return shown_[variable].span();
}

}  // namespace convoy
