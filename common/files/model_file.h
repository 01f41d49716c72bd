// The file of a trained model (docs/model_file.md): a tensor for each variable, and for each
// embedding table TABLE/ids, U64 [rows], and TABLE/rows, F32 [rows, dim].
#ifndef CONVOY_COMMON_FILES_MODEL_FILE_H_
#define CONVOY_COMMON_FILES_MODEL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/math/table.h"
#include "common/math/variable.h"

namespace convoy {

// The names of a table's tensors.
std::string IdsTensor(const std::string& table);
std::string RowsTensor(const std::string& table);

// Where the values come from. They do not change meanwhile: the training has ended.
class ModelValues {
 public:
  virtual ~ModelValues() = default;
  // Row-major; valid until the next call.
  virtual absl::StatusOr<std::span<const float>> Variable(size_t variable) = 0;
  // Of all buckets of a table, one after the other from 0 on, and then so once more by ReadRows.
  virtual absl::StatusOr<uint64_t> CountRows(size_t table, uint32_t bucket) = 0;
  // Appends the rows of the bucket, ids ascending, values [ids, dim].
  virtual absl::Status ReadRows(size_t table, uint32_t bucket, std::vector<uint64_t>* ids,
                                std::vector<float>* values) = 0;
};

// Bucket by bucket, so that a table need not fit into memory. Errors are those of `values` and of
// SafetensorsWriter; nothing is left of the file then.
absl::Status WriteModelFile(const std::string& path, const std::string& job,
                            std::span<const VariableSpec> variables,
                            std::span<const TableSpec> tables, ModelValues& values);

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_MODEL_FILE_H_
