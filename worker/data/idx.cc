#include "worker/data/idx.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr size_t kPieceBytes = 256 << 10;  // a multiple of every element size

absl::Status At(const std::string& name, uint64_t byte, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": byte ", byte, ": ", what));
}

template <typename Unsigned>
Unsigned BigEndian(const char* bytes) {
  Unsigned value = 0;
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>((uint64_t{value} << 8) | static_cast<uint8_t>(bytes[i]));
  }
  return value;
}

uint64_t BytesOf(IdxType type) {
  switch (type) {
    case IdxType::kUbyte:
    case IdxType::kByte:
      return 1;
    case IdxType::kShort:
      return 2;
    case IdxType::kInt:
    case IdxType::kFloat:
      return 4;
    case IdxType::kDouble:
      return 8;
  }
  return 0;
}

absl::Status CheckMagic(const std::string& name, const char (&magic)[4], int max_dimensions) {
  if (magic[0] != 0 || magic[1] != 0) {
    return At(name, 0,
              absl::StrFormat("not an IDX file: expected 00 00, got %02x %02x",
                              static_cast<uint8_t>(magic[0]), static_cast<uint8_t>(magic[1])));
  }
  if (BytesOf(IdxType{static_cast<uint8_t>(magic[2])}) == 0) {
    return At(name, 2,
              absl::StrFormat("element type: expected 08, 09, 0b, 0c, 0d or 0e, got %02x",
                              static_cast<uint8_t>(magic[2])));
  }
  if (magic[3] < 1 || magic[3] > max_dimensions) {
    return At(name, 3,
              absl::StrCat("number of dimensions: expected ",
                           max_dimensions == 1 ? "1" : absl::StrCat("1 to ", max_dimensions),
                           max_dimensions == 1 ? " (labels)" : "", ", got ",
                           static_cast<uint8_t>(magic[3])));
  }
  return absl::OkStatus();
}

absl::Status CheckSizes(const std::string& name, const IdxHeader& header) {
  int64_t bytes = static_cast<int64_t>(header.element_bytes());
  for (size_t i = 0; i < header.sizes.size(); ++i) {
    const uint64_t byte = 4 + 4 * i;
    if (header.sizes[i] == 0) {
      return At(name, byte,
                absl::StrCat("size of dimension ", i + 1, ": expected at least 1, got 0",
                             i == 0 ? " (no examples)" : ""));
    }
    if (__builtin_mul_overflow(bytes, int64_t{header.sizes[i]}, &bytes)) {
      return At(
          name, byte,
          absl::StrCat("size of dimension ", i + 1,
                       ": the elements would have 2^63 bytes or more, got ", header.sizes[i]));
    }
  }
  return absl::OkStatus();
}

// Writes float32 over `out`; returns the index of the first value that is not finite, or `count`.
template <typename Value, typename Unsigned>
size_t Convert(const char* bytes, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] =
        static_cast<float>(std::bit_cast<Value>(BigEndian<Unsigned>(bytes + i * sizeof(Value))));
  }
  if constexpr (std::is_integral_v<Value>) return count;
  return static_cast<size_t>(
      std::find_if_not(out, out + count, [](float v) { return std::isfinite(v); }) - out);
}

size_t ConvertTyped(IdxType type, const char* bytes, size_t count, float* out) {
  switch (type) {
    case IdxType::kUbyte:
      return Convert<uint8_t, uint8_t>(bytes, count, out);
    case IdxType::kByte:
      return Convert<int8_t, uint8_t>(bytes, count, out);
    case IdxType::kShort:
      return Convert<int16_t, uint16_t>(bytes, count, out);
    case IdxType::kInt:
      return Convert<int32_t, uint32_t>(bytes, count, out);
    case IdxType::kFloat:
      return Convert<float, uint32_t>(bytes, count, out);
    case IdxType::kDouble:
      return Convert<double, uint64_t>(bytes, count, out);
  }
  return 0;
}

absl::Status CheckEnd(ByteSource& source, const std::string& name, uint64_t end) {
  char extra;
  CONVOY_ASSIGN_OR_RETURN(const size_t got, source.Read({&extra, 1}));
  if (got == 0) return absl::OkStatus();
  return At(name, end, "expected the end of the file after the last element, got more bytes");
}

}  // namespace

uint64_t IdxHeader::element_bytes() const { return BytesOf(type); }

uint64_t IdxHeader::example_elements() const {
  uint64_t product = 1;
  for (size_t i = 1; i < sizes.size(); ++i) product *= sizes[i];
  return product;
}

uint64_t IdxHeader::data_bytes() const { return element_bytes() * examples() * example_elements(); }

absl::StatusOr<IdxHeader> ReadIdxHeader(ByteSource& source, const std::string& name,
                                        int max_dimensions) {
  char magic[4];
  CONVOY_ASSIGN_OR_RETURN(const size_t got, source.Read(magic));
  if (got < sizeof(magic)) {
    return At(name, got, "the file ends; expected the 4 bytes of an IDX magic number");
  }
  CONVOY_RETURN_IF_ERROR(CheckMagic(name, magic, max_dimensions));
  IdxHeader header;
  header.type = IdxType{static_cast<uint8_t>(magic[2])};
  for (int i = 0; i < magic[3]; ++i) {
    char size[4];
    CONVOY_ASSIGN_OR_RETURN(const size_t size_got, source.Read(size));
    if (size_got < sizeof(size)) {
      return At(name, 4 + 4 * static_cast<uint64_t>(i) + size_got,
                absl::StrCat("the file ends; expected the size of dimension ", i + 1, " of ",
                             static_cast<int>(magic[3])));
    }
    header.sizes.push_back(BigEndian<uint32_t>(size));
  }
  CONVOY_RETURN_IF_ERROR(CheckSizes(name, header));
  return header;
}

absl::Status ReadIdxElements(ByteSource& source, const std::string& name, const IdxHeader& header,
                             IdxElements elements,
                             absl::FunctionRef<absl::Status(std::span<const char>)> sink) {
  const uint64_t end = header.header_bytes() + header.data_bytes();
  const uint64_t element_bytes = header.element_bytes();
  std::vector<char> piece(kPieceBytes);
  std::vector<float> floats(elements == IdxElements::kFloat ? kPieceBytes / element_bytes : 0);
  uint64_t position = header.header_bytes();
  while (position < end) {
    const size_t want = std::min<uint64_t>(piece.size(), end - position);
    CONVOY_ASSIGN_OR_RETURN(const size_t got, source.Read(std::span(piece).first(want)));
    if (got < want) {
      return At(name, position + got,
                absl::StrCat("the file ends; expected ", end, " bytes (", header.examples(),
                             " examples of ", header.example_elements(), " elements of ",
                             element_bytes, " bytes after the header); is it truncated?"));
    }
    if (elements == IdxElements::kAsStored) {
      CONVOY_RETURN_IF_ERROR(sink(std::span(piece).first(want)));
    } else {
      const size_t count = want / element_bytes;
      const size_t good = ConvertTyped(header.type, piece.data(), count, floats.data());
      if (good < count) {
        return At(name, position + good * element_bytes,
                  "expected a finite float32, got NaN, infinity or a larger number");
      }
      CONVOY_RETURN_IF_ERROR(
          sink({reinterpret_cast<const char*>(floats.data()), count * sizeof(float)}));
    }
    position += want;
  }
  return CheckEnd(source, name, end);
}

}  // namespace convoy
