#include "common/checkpoint/safetensors_archive.h"

#include <Eigen/Core>
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/server_file_layout.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr uint64_t kRowsAtATime = 4096;
constexpr size_t kValuesAtATime = 65536;

bool IsIdsOf(const TensorInfo& ids, const TensorInfo& rows) {
  return (ids.dtype == "U64" || ids.dtype == "I64") && ids.shape.size() == 1 &&
         rows.shape.size() == 2 && ids.shape[0] == rows.shape[0];
}

// Reads values of type From in pieces and rounds them to float32.
template <typename From>
absl::Status ReadRounded(const SafetensorsReader& file, const TensorInfo& tensor, uint64_t first,
                         std::span<float> out) {
  std::vector<From> piece(std::min(out.size(), kValuesAtATime));
  while (!out.empty()) {
    const size_t count = std::min(out.size(), kValuesAtATime);
    const std::span<char> bytes(reinterpret_cast<char*>(piece.data()), count * sizeof(From));
    CONVOY_RETURN_IF_ERROR(file.ReadBytes(tensor, first * sizeof(From), bytes));
    std::transform(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count), out.begin(),
                   [](From value) { return static_cast<float>(value); });
    out = out.subspan(count);
    first += count;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SafetensorsArchive>> SafetensorsArchive::Open(
    const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(std::unique_ptr<SafetensorsReader> file, SafetensorsReader::Open(path));
  return std::unique_ptr<SafetensorsArchive>(new SafetensorsArchive(std::move(file)));
}

SafetensorsArchive::SafetensorsArchive(std::unique_ptr<SafetensorsReader> file)
    : file_(std::move(file)) {
  const auto table_of = [this](const TensorInfo& tensor, const char* suffix) -> std::string {
    absl::string_view name = tensor.name;
    if (!absl::ConsumeSuffix(&name, suffix) || name.empty()) return "";
    const TensorInfo* const ids = file_->Find(TableIdsTensor(std::string(name)));
    const TensorInfo* const rows = file_->Find(TableRowsTensor(std::string(name)));
    return ids != nullptr && rows != nullptr && IsIdsOf(*ids, *rows) ? std::string(name) : "";
  };
  for (const TensorInfo& tensor : file_->tensors()) {
    if (!table_of(tensor, "/ids").empty()) continue;
    if (const std::string table = table_of(tensor, "/rows"); !table.empty()) {
      tables_.push_back({table, static_cast<uint32_t>(tensor.shape[1]), {}, {}, tensor.shape[0]});
      table_tensors_.push_back({file_->Find(TableIdsTensor(table)), &tensor});
    } else {
      variables_.push_back({tensor.name, tensor.shape, {}});
      tensors_.push_back(&tensor);
    }
  }
}

absl::Status SafetensorsArchive::ReadFloats(const TensorInfo& tensor, uint64_t first,
                                            std::span<float> out) const {
  if (tensor.dtype == "F32") return file_->ReadInto(tensor.name, first, out);
  if (tensor.dtype == "F16") return ReadRounded<Eigen::half>(*file_, tensor, first, out);
  if (tensor.dtype == "BF16") return ReadRounded<Eigen::bfloat16>(*file_, tensor, first, out);
  if (tensor.dtype == "F64") return ReadRounded<double>(*file_, tensor, first, out);
  return absl::InvalidArgumentError(absl::StrCat(path(), ": tensor \"", tensor.name, "\" is ",
                                                 tensor.dtype, ", want F32, F16, BF16 or F64"));
}

absl::Status SafetensorsArchive::Read(size_t variable, std::optional<size_t> /*there are none*/,
                                      uint64_t first, std::span<float> out) const {
  return ReadFloats(*tensors_[variable], first, out);
}

absl::Status SafetensorsArchive::ReadRows(size_t table,
                                          absl::FunctionRef<absl::Status(const Rows&)> fn) const {
  const TableTensors& tensors = table_tensors_[table];
  const uint64_t dim = tables_[table].dim;
  std::vector<uint64_t> ids;
  std::vector<float> weights;
  CONVOY_RETURN_IF_ERROR(ReadFloats(*tensors.rows, 0, {}));
  for (uint64_t row = 0; row < tables_[table].rows; row += kRowsAtATime) {
    const uint64_t count = std::min(kRowsAtATime, tables_[table].rows - row);
    ids.resize(count);
    weights.resize(count * dim);
    const std::span<char> bytes(reinterpret_cast<char*>(ids.data()), count * sizeof(uint64_t));
    CONVOY_RETURN_IF_ERROR(file_->ReadBytes(*tensors.ids, row * sizeof(uint64_t), bytes));
    CONVOY_RETURN_IF_ERROR(ReadFloats(*tensors.rows, row * dim, weights));
    CONVOY_RETURN_IF_ERROR(fn({ids, weights, {}, {}}));
  }
  return absl::OkStatus();
}

}  // namespace convoy
