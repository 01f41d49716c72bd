// Which server holds which part of which variable: one pure function of the model and the number
// of servers, so that everybody agrees without talking.
#ifndef CONVOY_COMMON_PLACEMENT_PLACEMENT_H_
#define CONVOY_COMMON_PLACEMENT_PLACEMENT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/math/variable.h"

namespace convoy {

// Elements of a full block (256 KiB of float32); the last block of a variable may be shorter.
inline constexpr int64_t kBlockElements = 65536;
inline constexpr uint32_t kMaxServers = 64;

// A cell of the dense part of a model: one block.
struct CellSpec {
  uint32_t id;        // position in Placement::cells()
  uint32_t variable;  // position in the model's variables
  int64_t offset;     // first element in the variable, row-major
  uint32_t size;      // elements
  uint32_t server;
};

class Placement {
 public:
  // Cells are numbered in the order of the variables, blocks ascending. Blocks go to servers
  // largest first, each to the server with the fewest bytes so far (the lowest rank of equals).
  // Buckets of tables go to servers in turn. InvalidArgument: servers not in 1..64, no variables,
  // two of the same name (also a table's), over 2^32 cells.
  static absl::StatusOr<Placement> Create(std::vector<VariableSpec> variables, uint32_t servers,
                                          std::vector<TableSpec> tables = {});

  const std::vector<VariableSpec>& variables() const { return variables_; }
  std::span<const CellSpec> cells() const { return cells_; }
  std::span<const CellSpec> cells_of_variable(uint32_t variable) const;
  // Ids of the cells of one server, ascending.
  const std::vector<uint32_t>& cells_of_server(uint32_t server) const { return by_server_[server]; }
  uint32_t servers() const { return static_cast<uint32_t>(by_server_.size()); }
  const std::vector<TableSpec>& tables() const { return tables_; }
  uint32_t server_of_bucket(uint32_t bucket) const { return bucket % servers(); }
  int64_t elements_of_server(uint32_t server) const { return elements_[server]; }
  // For messages to people: `"layer1/weight" block 2`.
  std::string Describe(uint32_t cell) const;

 private:
  Placement() = default;

  std::vector<VariableSpec> variables_;
  std::vector<TableSpec> tables_;
  std::vector<CellSpec> cells_;
  std::vector<uint32_t> first_cell_;  // by variable, and one past the end
  std::vector<std::vector<uint32_t>> by_server_;
  std::vector<int64_t> elements_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_PLACEMENT_PLACEMENT_H_
