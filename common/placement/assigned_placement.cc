#include "common/placement/assigned_placement.h"

#include <utility>
#include <vector>

#include "common/status.h"

namespace convoy {

absl::StatusOr<Placement> PlacementOf(const v1::Assignment& assignment) {
  std::vector<VariableSpec> variables(static_cast<size_t>(assignment.variables_size()));
  for (size_t i = 0; i < variables.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(FromProto(assignment.variables(static_cast<int>(i)), &variables[i]));
  }
  std::vector<TableSpec> tables(static_cast<size_t>(assignment.tables_size()));
  for (size_t i = 0; i < tables.size(); ++i) {
    CONVOY_RETURN_IF_ERROR(FromProto(assignment.tables(static_cast<int>(i)), &tables[i]));
  }
  return Placement::Create(std::move(variables), static_cast<uint32_t>(assignment.servers_size()),
                           std::move(tables));
}

}  // namespace convoy
