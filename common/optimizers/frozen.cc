#include "common/optimizers/frozen.h"

#include <algorithm>
#include <string>

#include "common/optimizers/optimizer.h"
#include "common/status.h"

namespace convoy {

bool FrozenParts::any() const {
  return std::ranges::find(variables, true) != variables.end() ||
         std::ranges::find(tables, true) != tables.end();
}

bool FrozenParts::all() const {
  return any() && std::ranges::find(variables, false) == variables.end() &&
         std::ranges::find(tables, false) == tables.end();
}

absl::StatusOr<FrozenParts> FindFrozen(const v1::Optimizer& optimizer,
                                       std::span<const VariableSpec> variables,
                                       std::span<const TableSpec> tables) {
  FrozenParts frozen;
  for (const VariableSpec& variable : variables) {
    CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings,
                            SettingsFor(optimizer, variable.name));
    frozen.variables.push_back(settings.learning_rate == 0);
  }
  for (const TableSpec& table : tables) {
    bool all = true;
    for (const ColumnRange& range : table.ranges) {
      CONVOY_ASSIGN_OR_RETURN(const OptimizerSettings settings,
                              SettingsFor(optimizer, table.name + "/" + range.name));
      all = all && settings.learning_rate == 0;
    }
    frozen.tables.push_back(all);
  }
  return frozen;
}

}  // namespace convoy
