// The embedding tables of a model on their way from the servers to a file: tensors TABLE/ids, U64
// [rows], and TABLE/rows, F32 [rows, dim].
#ifndef CONVOY_LAUNCHER_COMMANDS_SAVED_TABLES_H_
#define CONVOY_LAUNCHER_COMMANDS_SAVED_TABLES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/files/safetensors_writer.h"
#include "common/net/table_reader.h"
#include "common/placement/placement.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// The names of a table's tensors.
std::string IdsTensor(const std::string& table);
std::string RowsTensor(const std::string& table);

// Rows do not change meanwhile: the training has ended. Bucket by bucket, so that a table need not
// fit into memory. What it is made of outlives it.
class SavedTables {
 public:
  SavedTables(uint64_t job_id, const v1::Assignment& assignment, const Placement& placement);

  // Asks the servers how many rows there are.
  absl::Status Declare(std::vector<TensorDeclaration>* tensors);
  absl::Status Write(SafetensorsWriter& writer);

 private:
  const Placement& placement_;
  std::vector<std::unique_ptr<TableReader>> servers_;  // by rank
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_SAVED_TABLES_H_
