#include "common/files/safetensors_writer.h"

#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::StatusOr<SafetensorsHeader> LayOut(const std::vector<TensorDeclaration>& tensors) {
  SafetensorsHeader header;
  std::set<std::string_view> names;
  uint64_t end = 0;
  for (const TensorDeclaration& tensor : tensors) {
    if (tensor.name.empty() || tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor name \"", tensor.name, "\" is empty, reserved or given twice"));
    }
    const auto values = ValuesInShape(tensor.shape);
    if (!values.ok()) return Annotate(values.status(), absl::StrCat("\"", tensor.name, "\""));
    if (tensor.dtype != "F32" && tensor.dtype != "U32" && tensor.dtype != "U64") {
      return absl::InvalidArgumentError(absl::StrCat("tensor \"", tensor.name, "\": got dtype ",
                                                     tensor.dtype, ", want F32, U32 or U64"));
    }
    CONVOY_ASSIGN_OR_RETURN(const uint64_t value_bytes, BytesPerValue(tensor.dtype));
    constexpr uint64_t kMaxBytes = std::numeric_limits<int64_t>::max();
    if (*values > (kMaxBytes - end) / value_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", tensor.name, "\" ends beyond byte 2^63 of the file"));
    }
    const uint64_t begin = end;
    end += *values * value_bytes;
    header.tensors.push_back({tensor.name, tensor.dtype, tensor.shape, begin, end});
  }
  return header;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::unique_ptr<AtomicFile> file,
                                     const SafetensorsHeader& header, uint64_t data_begin)
    : file_(std::move(file)) {
  for (const TensorInfo& tensor : header.tensors) {
    const uint64_t value_bytes = tensor.dtype == "U64" ? sizeof(uint64_t) : sizeof(float);
    const uint64_t size = (tensor.end - tensor.begin) / value_bytes;
    tensors_.emplace(tensor.name,
                     Tensor{tensor.dtype, size, data_begin + tensor.begin, FilledRanges(size)});
  }
}

absl::StatusOr<std::unique_ptr<SafetensorsWriter>> SafetensorsWriter::Create(
    std::string path, const std::vector<TensorDeclaration>& tensors,
    std::map<std::string, std::string> metadata) {
  CONVOY_ASSIGN_OR_RETURN(SafetensorsHeader header, LayOut(tensors));
  header.metadata = std::move(metadata);
  const std::string head = EncodeSafetensorsHeader(header);
  const uint64_t data_bytes = header.tensors.empty() ? 0 : header.tensors.back().end;
  CONVOY_ASSIGN_OR_RETURN(auto file, AtomicFile::Create(std::move(path)));
  CONVOY_RETURN_IF_ERROR(file->Append(head));
  CONVOY_RETURN_IF_ERROR(file->Resize(head.size() + data_bytes));
  return std::unique_ptr<SafetensorsWriter>(
      new SafetensorsWriter(std::move(file), header, head.size()));
}

absl::Status SafetensorsWriter::Write(std::string_view name, uint64_t first,
                                      std::span<const float> values) {
  return WriteBytes(name, first, "F32", std::as_bytes(values), sizeof(float));
}

absl::Status SafetensorsWriter::WriteU32(std::string_view name, uint64_t first,
                                         std::span<const uint32_t> values) {
  return WriteBytes(name, first, "U32", std::as_bytes(values), sizeof(uint32_t));
}

absl::Status SafetensorsWriter::WriteU64(std::string_view name, uint64_t first,
                                         std::span<const uint64_t> values) {
  return WriteBytes(name, first, "U64", std::as_bytes(values), sizeof(uint64_t));
}

absl::Status SafetensorsWriter::WriteBytes(std::string_view name, uint64_t first,
                                           std::string_view dtype, std::span<const std::byte> bytes,
                                           uint64_t value_bytes) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    return absl::NotFoundError(
        absl::StrCat(file_->path(), ": tensor \"", std::string(name), "\" was not declared"));
  }
  Tensor& tensor = found->second;
  if (dtype != tensor.dtype) {
    return absl::InvalidArgumentError(absl::StrCat(file_->path(), ": tensor \"", found->first,
                                                   "\" was declared as ", tensor.dtype, ", got ",
                                                   std::string(dtype)));
  }
  const uint64_t count = bytes.size() / value_bytes;
  if (first > tensor.size || count > tensor.size - first) {
    return absl::OutOfRangeError(absl::StrCat(file_->path(), ": tensor \"", found->first, "\" has ",
                                              tensor.size, " values, got ", count, " from ",
                                              first));
  }
  CONVOY_RETURN_IF_ERROR(
      file_->WriteAt(tensor.file_offset + first * value_bytes,
                     {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  tensor.written.Fill(first, first + count);
  return absl::OkStatus();
}

absl::Status SafetensorsWriter::CheckComplete() const {
  for (const auto& [name, tensor] : tensors_) {
    if (tensor.written.Full()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(file_->path(), ": value ", tensor.written.FirstHole(), " of ", tensor.size,
                     " of tensor \"", name, "\" was not written"));
  }
  return absl::OkStatus();
}

absl::Status SafetensorsWriter::Commit() {
  CONVOY_RETURN_IF_ERROR(CheckComplete());
  return file_->Commit();
}

absl::StatusOr<FileHash> SafetensorsWriter::CommitAndHash() {
  CONVOY_RETURN_IF_ERROR(CheckComplete());
  return file_->CommitAndHash();
}

}  // namespace convoy
