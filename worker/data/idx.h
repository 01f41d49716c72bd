// IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist): 00 00, element type, number of
// dimensions, their sizes as big-endian uint32, then the elements, big-endian, row-major.
#ifndef CONVOY_WORKER_DATA_IDX_H_
#define CONVOY_WORKER_DATA_IDX_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "worker/data/byte_source.h"

namespace convoy {

enum class IdxType : uint8_t {
  kUbyte = 0x08,
  kByte = 0x09,
  kShort = 0x0B,
  kInt = 0x0C,
  kFloat = 0x0D,
  kDouble = 0x0E,
};

struct IdxHeader {
  IdxType type = IdxType::kUbyte;
  std::vector<uint32_t> sizes;  // of the dimensions, 1 to 4; the first is the number of examples

  uint64_t header_bytes() const { return 4 + 4 * sizes.size(); }
  uint64_t element_bytes() const;
  uint64_t examples() const { return sizes[0]; }
  uint64_t example_elements() const;  // product of the others
  // Of all elements. ReadIdxHeader made sure that neither product overflows.
  uint64_t data_bytes() const;
};

// Reads the header from the start of `source`. `name` is for errors. `max_dimensions`: 1 for
// labels, 4 for examples. Believes no size: nothing is allocated for what the header claims.
// InvalidArgument: wrong magic number, type or number of dimensions, a size of 0, 2^63 bytes or
// more, an end within the header; names the byte, what was expected and what was there.
absl::StatusOr<IdxHeader> ReadIdxHeader(ByteSource& source, const std::string& name,
                                        int max_dimensions);

// How elements are handed over.
enum class IdxElements {
  kAsStored,  // ubyte only: the bytes themselves
  kFloat,     // native float32; int and double are rounded
};

// Reads the elements after the header and gives them to `sink` in pieces, in order. The end of the
// source must follow. InvalidArgument: truncated (names the byte), bytes after the end, a value
// that is NaN, infinite or beyond float32; or what `sink` returned.
absl::Status ReadIdxElements(ByteSource& source, const std::string& name, const IdxHeader& header,
                             IdxElements elements,
                             absl::FunctionRef<absl::Status(std::span<const char>)> sink);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_IDX_H_
