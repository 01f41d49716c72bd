#include "common/checkpoint/expected_tensors.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/files/safetensors_header.h"
#include "common/status.h"

namespace convoy {
namespace {

std::string TensorTypeText(std::string_view dtype, const std::vector<uint64_t>& shape) {
  return absl::StrCat(std::string(dtype), " [", absl::StrJoin(shape, ", "), "]");
}

}  // namespace

absl::Status BadTensor(const std::string& name, std::string_view what) {
  return absl::DataLossError(absl::StrCat("tensor \"", name, "\" ", std::string(what)));
}

ExpectedTensors::ExpectedTensors(const SafetensorsReader& file) : file_(file) {
  for (const TensorInfo& tensor : file.tensors()) left_.insert(tensor.name);
}

absl::Status ExpectedTensors::Take(const std::string& name, std::string_view dtype,
                                   const std::vector<uint64_t>& shape) {
  const TensorInfo* tensor = file_.Find(name);
  if (tensor == nullptr) return BadTensor(name, "is missing");
  if (tensor->dtype != dtype || tensor->shape != shape) {
    return BadTensor(name, absl::StrCat("is ", TensorTypeText(tensor->dtype, tensor->shape),
                                        ", want ", TensorTypeText(dtype, shape)));
  }
  left_.erase(name);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ExpectedTensors::TakeValues(const std::string& name,
                                                     std::string_view dtype) {
  const TensorInfo* tensor = file_.Find(name);
  const uint64_t values = tensor != nullptr && tensor->shape.size() == 1 ? tensor->shape[0] : 0;
  CONVOY_RETURN_IF_ERROR(Take(name, dtype, {values}));
  return values;
}

absl::StatusOr<uint64_t> ExpectedTensors::TakeRows(const std::string& name, uint64_t columns) {
  const TensorInfo* tensor = file_.Find(name);
  const uint64_t rows = tensor != nullptr && tensor->shape.size() == 2 ? tensor->shape[0] : 0;
  CONVOY_RETURN_IF_ERROR(Take(name, "U64", {rows, columns}));
  return rows;
}

absl::StatusOr<uint64_t> ExpectedTensors::EndOfBlock(const std::string& variable,
                                                     uint64_t begin) const {
  const std::string prefix = absl::StrCat(variable, "[", begin, ":");
  for (auto at = left_.lower_bound(prefix); at != left_.end() && at->starts_with(prefix); ++at) {
    uint64_t end = 0;
    if (at->ends_with("]") &&
        absl::SimpleAtoi(at->substr(prefix.size(), at->size() - prefix.size() - 1), &end) &&
        *at == BlockTensor(variable, begin, end)) {
      return end;
    }
  }
  return BadTensor(absl::StrCat(prefix, "END]"), "is missing");
}

absl::Status ExpectedTensors::CheckNoneLeft() const {
  if (left_.empty()) return absl::OkStatus();
  return BadTensor(*left_.begin(), "belongs to no cell of \"/cells\"");
}

}  // namespace convoy
