#include "common/files/safetensors_reader.h"

#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

absl::StatusOr<uint64_t> ReadHeaderLength(const OwnedFd& fd, uint64_t file_size,
                                          const std::string& path) {
  if (file_size < kSafetensorsPrefixBytes) {
    return absl::DataLossError(absl::StrCat("the file has ", file_size, " bytes, want at least ",
                                            kSafetensorsPrefixBytes));
  }
  uint64_t length = 0;
  CONVOY_RETURN_IF_ERROR(ReadExactlyAt(fd, 0, &length, sizeof(length), path));
  if (length > kMaxSafetensorsHeaderBytes) {
    return absl::DataLossError(absl::StrCat("bytes 0..7 give a header of ", length,
                                            " bytes, want at most ", kMaxSafetensorsHeaderBytes));
  }
  if (length > file_size - kSafetensorsPrefixBytes) {
    return absl::DataLossError(absl::StrCat("bytes 0..7 give a header of ", length,
                                            " bytes, but the file ends at byte ", file_size));
  }
  return length;
}

absl::StatusOr<std::string> ReadHeaderText(const OwnedFd& fd, uint64_t length,
                                           const std::string& path) {
  std::string json(length, '\0');
  CONVOY_RETURN_IF_ERROR(
      ReadExactlyAt(fd, kSafetensorsPrefixBytes, json.data(), json.size(), path));
  return json;
}

}  // namespace

SafetensorsReader::SafetensorsReader(std::string path, OwnedFd fd, SafetensorsHeader header,
                                     uint64_t data_begin)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      header_(std::move(header)),
      data_begin_(data_begin) {
  for (const TensorInfo& tensor : header_.tensors) by_name_.emplace(tensor.name, &tensor);
}

absl::StatusOr<std::unique_ptr<SafetensorsReader>> SafetensorsReader::Open(std::string path) {
  CONVOY_ASSIGN_OR_RETURN(OwnedFd fd, OpenForReading(path));
  CONVOY_ASSIGN_OR_RETURN(const uint64_t file_size, FileSize(fd, path));
  const auto length = ReadHeaderLength(fd, file_size, path);
  if (!length.ok()) return Annotate(length.status(), path);
  CONVOY_ASSIGN_OR_RETURN(const std::string json, ReadHeaderText(fd, *length, path));
  const uint64_t data_begin = kSafetensorsPrefixBytes + *length;
  auto header = ParseSafetensorsHeader(json, file_size - data_begin);
  if (!header.ok()) return Annotate(header.status(), path);
  return std::unique_ptr<SafetensorsReader>(
      new SafetensorsReader(std::move(path), std::move(fd), *std::move(header), data_begin));
}

const TensorInfo* SafetensorsReader::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

absl::StatusOr<const TensorInfo*> SafetensorsReader::FindOf(std::string_view dtype,
                                                            std::string_view name) const {
  const TensorInfo* tensor = Find(name);
  if (tensor == nullptr) {
    return absl::NotFoundError(absl::StrCat(path_, ": there is no tensor \"", std::string(name),
                                            "\" among its ", header_.tensors.size()));
  }
  if (tensor->dtype != dtype) {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": tensor \"", tensor->name, "\" is ",
                                                   tensor->dtype, ", want ", std::string(dtype)));
  }
  return tensor;
}

absl::StatusOr<AlignedBuffer> SafetensorsReader::Read(std::string_view name) const {
  CONVOY_ASSIGN_OR_RETURN(const TensorInfo* tensor, FindOf("F32", name));
  AlignedBuffer values((tensor->end - tensor->begin) / sizeof(float));
  CONVOY_RETURN_IF_ERROR(ReadInto(name, 0, values.span()));
  return values;
}

absl::StatusOr<std::vector<uint64_t>> SafetensorsReader::ReadU64(std::string_view name) const {
  CONVOY_ASSIGN_OR_RETURN(const TensorInfo* tensor, FindOf("U64", name));
  std::vector<uint64_t> values((tensor->end - tensor->begin) / sizeof(uint64_t));
  CONVOY_RETURN_IF_ERROR(ReadU64Into(name, 0, values));
  return values;
}

template <typename Value>
absl::Status SafetensorsReader::ReadPart(std::string_view dtype, std::string_view name,
                                         uint64_t first, std::span<Value> values) const {
  CONVOY_ASSIGN_OR_RETURN(const TensorInfo* tensor, FindOf(dtype, name));
  const uint64_t size = (tensor->end - tensor->begin) / sizeof(Value);
  if (first > size || values.size() > size - first) {
    return absl::OutOfRangeError(absl::StrCat(path_, ": tensor \"", tensor->name, "\" has ", size,
                                              " values, want ", values.size(), " from ", first));
  }
  return ReadExactlyAt(fd_, data_begin_ + tensor->begin + first * sizeof(Value), values.data(),
                       values.size_bytes(), path_);
}

absl::Status SafetensorsReader::ReadInto(std::string_view name, uint64_t first,
                                         std::span<float> values) const {
  return ReadPart("F32", name, first, values);
}

absl::Status SafetensorsReader::ReadU32Into(std::string_view name, uint64_t first,
                                            std::span<uint32_t> values) const {
  return ReadPart("U32", name, first, values);
}

absl::Status SafetensorsReader::ReadU64Into(std::string_view name, uint64_t first,
                                            std::span<uint64_t> values) const {
  return ReadPart("U64", name, first, values);
}

}  // namespace convoy
