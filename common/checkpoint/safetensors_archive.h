// One safetensors file (docs/model_file.md) as an archive of weights: Convoy's model.safetensors,
// or a file of another program.
#ifndef CONVOY_COMMON_CHECKPOINT_SAFETENSORS_ARCHIVE_H_
#define CONVOY_COMMON_CHECKPOINT_SAFETENSORS_ARCHIVE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/checkpoint/weight_archive.h"
#include "common/files/safetensors_reader.h"

namespace convoy {

// Two tensors NAME/ids (U64 or I64, [rows]) and NAME/rows ([rows, dim]) are the table NAME, of
// whose columns no more is known; every other tensor is a variable. There are no slots. Values of
// F16, BF16 and F64 become F32, which rounds those of F64.
class SafetensorsArchive final : public WeightArchive {
 public:
  // Errors as SafetensorsReader::Open.
  static absl::StatusOr<std::unique_ptr<SafetensorsArchive>> Open(const std::string& path);

  const std::string& path() const override { return file_->path(); }
  const std::vector<Variable>& variables() const override { return variables_; }
  const std::vector<Table>& tables() const override { return tables_; }
  // InvalidArgument: the tensor has another dtype than those above; also if `out` is empty.
  absl::Status Read(size_t variable, std::optional<size_t> slot, uint64_t first,
                    std::span<float> out) const override;
  uint64_t Updates(size_t, uint64_t) const override { return 0; }
  absl::Status ReadRows(size_t table,
                        absl::FunctionRef<absl::Status(const Rows&)> fn) const override;

 private:
  struct TableTensors {
    const TensorInfo* ids;
    const TensorInfo* rows;
  };
  explicit SafetensorsArchive(std::unique_ptr<SafetensorsReader> file);
  absl::Status ReadFloats(const TensorInfo& tensor, uint64_t first, std::span<float> out) const;

  const std::unique_ptr<SafetensorsReader> file_;
  std::vector<Variable> variables_;
  std::vector<const TensorInfo*> tensors_;  // by variable; of file_
  std::vector<Table> tables_;
  std::vector<TableTensors> table_tensors_;  // by table
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_SAFETENSORS_ARCHIVE_H_
