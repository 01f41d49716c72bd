// Writes a safetensors file (docs/model_file.md) of F32, U32 and U64 tensors: first all tensors are
// declared, then their values arrive in pieces, in any order. The file gets its name when it is
// complete.
#ifndef CONVOY_COMMON_FILES_SAFETENSORS_WRITER_H_
#define CONVOY_COMMON_FILES_SAFETENSORS_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/files/atomic_file.h"
#include "common/files/filled_ranges.h"
#include "common/files/safetensors_header.h"

namespace convoy {

// A tensor to come.
struct TensorDeclaration {
  std::string name;
  // Sizes, outermost first; empty: one value.
  std::vector<uint64_t> shape;
  // "F32", "U32" or "U64".
  std::string dtype = "F32";
};

// One thread. Destroyed before Commit: nothing is left of the file.
class SafetensorsWriter {
 public:
  // Data lie in the order of `tensors`. InvalidArgument: a name that is empty, "__metadata__" or
  // given twice, or sizes that do not fit 63 bits. `metadata` is for people and other programs.
  static absl::StatusOr<std::unique_ptr<SafetensorsWriter>> Create(
      std::string path, const std::vector<TensorDeclaration>& tensors,
      std::map<std::string, std::string> metadata);

  // Values [first, first + values.size()) of `name`, row-major. The same piece may be written
  // again, the last one counts. NotFound: not declared; InvalidArgument: declared with another
  // dtype; OutOfRange: beyond its shape.
  absl::Status Write(std::string_view name, uint64_t first, std::span<const float> values);
  absl::Status WriteU32(std::string_view name, uint64_t first, std::span<const uint32_t> values);
  absl::Status WriteU64(std::string_view name, uint64_t first, std::span<const uint64_t> values);

  // Makes the file durable and visible. FailedPrecondition while values are missing: names the
  // tensor and the first missing value.
  absl::Status Commit();
  // As Commit, with the checksum of the whole file.
  absl::StatusOr<FileHash> CommitAndHash();

 private:
  struct Tensor {
    std::string dtype;
    uint64_t size;         // values
    uint64_t file_offset;  // bytes
    FilledRanges written;
  };
  absl::Status CheckComplete() const;
  absl::Status WriteBytes(std::string_view name, uint64_t first, std::string_view dtype,
                          std::span<const std::byte> bytes, uint64_t value_bytes);
  SafetensorsWriter(std::unique_ptr<AtomicFile> file, const SafetensorsHeader& header,
                    uint64_t data_begin);

  const std::unique_ptr<AtomicFile> file_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_SAFETENSORS_WRITER_H_
