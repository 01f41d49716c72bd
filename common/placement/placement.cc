#include "common/placement/placement.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

absl::Status CheckNames(const std::vector<VariableSpec>& variables,
                        const std::vector<TableSpec>& tables) {
  if (variables.empty()) return absl::InvalidArgumentError("the model has no variables");
  std::set<std::string> names;
  uint64_t cells = 0;
  for (const VariableSpec& variable : variables) {
    if (!names.insert(variable.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two variables of the model are called \"", variable.name, "\""));
    }
    cells += static_cast<uint64_t>((variable.size() + kBlockElements - 1) / kBlockElements);
  }
  for (const TableSpec& table : tables) {
    if (!names.insert(table.name).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the model has two tables, or a table and a variable, called \"", table.name, "\""));
    }
  }
  if (cells >= std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model has ", cells, " blocks of 256 KiB, at most 2^32 - 2"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Placement> Placement::Create(std::vector<VariableSpec> variables, uint32_t servers,
                                            std::vector<TableSpec> tables) {
  if (servers < 1 || servers > kMaxServers) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", servers, " servers, want 1 to ", kMaxServers));
  }
  if (absl::Status status = CheckNames(variables, tables); !status.ok()) return status;

  Placement placement;
  placement.variables_ = std::move(variables);
  placement.tables_ = std::move(tables);
  placement.by_server_.resize(servers);
  placement.elements_.resize(servers);
  for (uint32_t v = 0; v < placement.variables_.size(); ++v) {
    placement.first_cell_.push_back(static_cast<uint32_t>(placement.cells_.size()));
    const int64_t size = placement.variables_[v].size();
    for (int64_t offset = 0; offset < size; offset += kBlockElements) {
      placement.cells_.push_back({static_cast<uint32_t>(placement.cells_.size()), v, offset,
                                  static_cast<uint32_t>(std::min(kBlockElements, size - offset)),
                                  0});
    }
  }
  placement.first_cell_.push_back(static_cast<uint32_t>(placement.cells_.size()));

  std::vector<uint32_t> order(placement.cells_.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return placement.cells_[a].size > placement.cells_[b].size;
  });
  for (uint32_t id : order) {
    const auto least = std::min_element(placement.elements_.begin(), placement.elements_.end());
    placement.cells_[id].server = static_cast<uint32_t>(least - placement.elements_.begin());
    *least += placement.cells_[id].size;
  }
  for (const CellSpec& cell : placement.cells_)
    placement.by_server_[cell.server].push_back(cell.id);
  return placement;
}

std::span<const CellSpec> Placement::cells_of_variable(uint32_t variable) const {
  return std::span(cells_).subspan(first_cell_[variable],
                                   first_cell_[variable + 1] - first_cell_[variable]);
}

std::string Placement::Describe(uint32_t cell) const {
  const CellSpec& spec = cells_[cell];
  return absl::StrCat("\"", variables_[spec.variable].name, "\" block ",
                      spec.offset / kBlockElements);
}

}  // namespace convoy
