// Whether a file has exactly the tensors that it must have.
#ifndef CONVOY_COMMON_CHECKPOINT_EXPECTED_TENSORS_H_
#define CONVOY_COMMON_CHECKPOINT_EXPECTED_TENSORS_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/files/safetensors_reader.h"

namespace convoy {

// DataLoss: `tensor "NAME" WHAT`.
absl::Status BadTensor(const std::string& name, std::string_view what);

// One thread. Errors are BadTensor's.
class ExpectedTensors {
 public:
  // `file` outlives this.
  explicit ExpectedTensors(const SafetensorsReader& file);

  // There must be this tensor.
  absl::Status Take(const std::string& name, std::string_view dtype,
                    const std::vector<uint64_t>& shape);
  // There must be this tensor of one dimension; its size.
  absl::StatusOr<uint64_t> TakeValues(const std::string& name, std::string_view dtype);
  // There must be this U64 tensor, with that many columns; its rows.
  absl::StatusOr<uint64_t> TakeRows(const std::string& name, uint64_t columns);
  // There must be a tensor VARIABLE[begin:END]; its END.
  absl::StatusOr<uint64_t> EndOfBlock(const std::string& variable, uint64_t begin) const;
  // There must be no others.
  absl::Status CheckNoneLeft() const;

 private:
  const SafetensorsReader& file_;
  std::set<std::string> left_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_EXPECTED_TENSORS_H_
