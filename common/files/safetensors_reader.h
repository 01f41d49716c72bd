// Reads a safetensors file (docs/model_file.md). The file is checked when it is opened; the values
// are read, not mapped, so that a file which is cut while it is open gives an error and no signal.
#ifndef CONVOY_COMMON_FILES_SAFETENSORS_READER_H_
#define CONVOY_COMMON_FILES_SAFETENSORS_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aligned_buffer.h"
#include "common/files/owned_fd.h"
#include "common/files/safetensors_header.h"

namespace convoy {

// Any thread; nothing changes after Open.
class SafetensorsReader {
 public:
  // NotFound, PermissionDenied: the file can't be opened. DataLoss: it is damaged or of another
  // format; the message says at which byte, what was found and what was expected.
  static absl::StatusOr<std::unique_ptr<SafetensorsReader>> Open(std::string path);

  const std::string& path() const { return path_; }
  // All tensors of the file, of whatever dtype, in the order of their data.
  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  // Null if there is no such tensor.
  const TensorInfo* Find(std::string_view name) const;

  // All values of an F32 tensor, row-major. NotFound: no such tensor; InvalidArgument: another
  // dtype; DataLoss: the file was cut meanwhile.
  absl::StatusOr<AlignedBuffer> Read(std::string_view name) const;
  // All values of a U64 tensor. Errors as Read.
  absl::StatusOr<std::vector<uint64_t>> ReadU64(std::string_view name) const;
  // Values [first, first + values.size()) of an F32 tensor, row-major. Errors as Read;
  // OutOfRange: the tensor has fewer values.
  absl::Status ReadInto(std::string_view name, uint64_t first, std::span<float> values) const;
  // The same of U32 and U64 tensors.
  absl::Status ReadU32Into(std::string_view name, uint64_t first, std::span<uint32_t> values) const;
  absl::Status ReadU64Into(std::string_view name, uint64_t first, std::span<uint64_t> values) const;

 private:
  SafetensorsReader(std::string path, OwnedFd fd, SafetensorsHeader header, uint64_t data_begin);
  template <typename Value>
  absl::Status ReadPart(std::string_view dtype, std::string_view name, uint64_t first,
                        std::span<Value> values) const;
  absl::StatusOr<const TensorInfo*> FindOf(std::string_view dtype, std::string_view name) const;

  const std::string path_;
  const OwnedFd fd_;
  const SafetensorsHeader header_;
  const uint64_t data_begin_;
  std::map<std::string_view, const TensorInfo*> by_name_;  // into header_
};

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_SAFETENSORS_READER_H_
