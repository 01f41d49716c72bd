// The header of a safetensors file (docs/model_file.md): which tensors it holds, and where.
//
//   8 bytes   little-endian length N of the JSON text
//   N bytes   {"__metadata__": {"key": "text", ...}, "NAME": {"dtype": "F32", "shape": [2, 3],
//              "data_offsets": [0, 24]}, ...}, padded with spaces
//   the rest  data, row-major, little-endian; offsets count from here
//
// Pure functions over bytes: files are safetensors_reader.h and safetensors_writer.h.
#ifndef CONVOY_COMMON_FILES_SAFETENSORS_HEADER_H_
#define CONVOY_COMMON_FILES_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace convoy {

// Headers above this many bytes are refused, as other readers of the format do.
inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;

// The length in front of the header.
inline constexpr uint64_t kSafetensorsPrefixBytes = 8;

struct TensorInfo {
  std::string name;
  // "F32", "F16", "I64", ...
  std::string dtype;
  // Sizes, outermost first; empty: one value.
  std::vector<uint64_t> shape;
  // Bytes [begin, end) of the data.
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  // Ordered by `begin`.
  std::vector<TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
};

// Bytes of one value of `dtype`. InvalidArgument for a dtype that is not known.
absl::StatusOr<uint64_t> BytesPerValue(std::string_view dtype);

// Number of values of a shape. InvalidArgument if it does not fit 63 bits.
absl::StatusOr<uint64_t> ValuesInShape(const std::vector<uint64_t>& shape);

// Reads and checks the JSON text. `data_bytes`: how many bytes of data follow it. The tensors must
// cover them without overlap or hole, and every size must agree with its shape.
// DataLoss: not such a header (with the byte of a JSON error), or sizes that contradict each other.
// InvalidArgument: a dtype that is not known.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json,
                                                         uint64_t data_bytes);

// The 8 bytes of length and the JSON text, padded so that the data begin at a multiple of 8.
// Fields are written in the order given, without spaces: equal headers give equal bytes.
std::string EncodeSafetensorsHeader(const SafetensorsHeader& header);

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_SAFETENSORS_HEADER_H_
