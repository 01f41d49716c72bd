// The on-disk format of the data cache; docs/data_cache.md has the grammar and an example.
#ifndef CONVOY_WORKER_DATA_CACHE_FORMAT_H_
#define CONVOY_WORKER_DATA_CACHE_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "worker/data/posix_file.h"

namespace convoy {

inline constexpr uint32_t kCacheVersion = 2;
inline constexpr size_t kCacheHeaderBytes = 320;
inline constexpr size_t kCacheAlignment = 64;
inline constexpr uint64_t kMaxFields = 1 << 16;

enum class CacheKind : uint32_t { kDense = 1, kSparse = 2, kIds = 3 };
// kOne: all values are 1, and none is stored (ids only).
enum class CacheElement : uint32_t { kUbyte = 1, kFloat32 = 2, kOne = 3 };

// In the order in which they stand in the file.
enum CacheSection : size_t {
  kValues,      // dense: row-major [examples, features]; sparse, ids: [entries] float32, or nothing
  kLabels,      // [examples] float32; empty: no labels
  kRowOffsets,  // sparse, ids: [examples + 1] int64
  kColumns,     // sparse: [entries] uint32, ascending within a row
  kIds,         // ids: [entries] uint64
  kFields,      // ids: [entries] uint16, below fields; empty: all 0, since fields is 0 or 1
  kCacheSections,
};

struct CacheExtent {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t checksum = 0;  // xxh3 of the bytes
};

struct CacheHeader {
  CacheKind kind = CacheKind::kDense;
  CacheElement element = CacheElement::kFloat32;
  uint64_t options_hash = 0;
  std::array<FileStamp, 2> sources;           // examples; labels (zeros: no such file)
  uint64_t examples = 0;                      // 1 to 2^32 - 1
  uint64_t features = 0;                      // sparse: largest column + 1, may be 0; ids: 0
  uint64_t features_line = 0;                 // sparse: line of the source with the largest column
  std::array<uint64_t, 3> shape = {1, 1, 1};  // dense: height, width, channels of an example
  uint64_t entries = 0;                       // dense: examples * features
  bool labelled = true;
  uint64_t fields = 0;          // ids: largest field + 1; 0: the format has none
  uint64_t fields_line = 0;     // ids: line of the source with the largest field; 0: unknown
  uint64_t bad_lines = 0;       // lines of the source that were skipped
  uint64_t first_bad_line = 0;  // the first of them, from 1; 0: none
  std::array<CacheExtent, kCacheSections> sections;

  uint64_t element_bytes() const {
    return element == CacheElement::kUbyte ? 1 : element == CacheElement::kFloat32 ? 4 : 0;
  }
  bool in_rows() const { return kind != CacheKind::kDense; }  // with row offsets
};

uint64_t Checksum(std::span<const char> bytes);

// Sets offsets and bytes of all sections from the other fields. InvalidArgument: fields that
// contradict each other or claim more than 2^58 values.
absl::Status LayOut(CacheHeader* header);
// Size of the file: where the last section ends, rounded up to kCacheAlignment.
uint64_t CacheFileBytes(const CacheHeader& header);

// With its own checksum.
std::array<char, kCacheHeaderBytes> EncodeCacheHeader(const CacheHeader& header);

enum class CacheCheck {
  kChecksums,      // compares all checksums: the whole file is read
  kStructureOnly,  // for fuzzers, which can't guess a checksum
};

// A cache in memory. Points into the memory it was parsed from.
class CacheView {
 public:
  // `file`: a whole cache file, starting at an address divisible by kCacheAlignment. Afterwards all
  // offsets, columns and fields are known to be within bounds. DataLoss: not a cache, another
  // version, truncated or damaged.
  static absl::StatusOr<CacheView> Parse(std::span<const char> file, CacheCheck check);

  const CacheHeader& header() const { return header_; }
  std::span<const uint8_t> ubytes() const { return Section<uint8_t>(kValues); }
  std::span<const float> values() const { return Section<float>(kValues); }
  std::span<const float> labels() const { return Section<float>(kLabels); }
  std::span<const int64_t> row_offsets() const { return Section<int64_t>(kRowOffsets); }
  std::span<const uint32_t> columns() const { return Section<uint32_t>(kColumns); }
  std::span<const uint64_t> ids() const { return Section<uint64_t>(kIds); }
  std::span<const uint16_t> fields() const { return Section<uint16_t>(kFields); }

 private:
  CacheView(std::span<const char> file, const CacheHeader& header) : file_(file), header_(header) {}

  template <typename T>
  std::span<const T> Section(CacheSection section) const {
    const CacheExtent& extent = header_.sections[section];
    return {reinterpret_cast<const T*>(file_.data() + extent.offset), extent.bytes / sizeof(T)};
  }
  absl::Status CheckSums() const;
  absl::Status CheckRows() const;
  absl::Status CheckColumns() const;
  absl::Status CheckFieldNumbers() const;

  std::span<const char> file_;
  CacheHeader header_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CACHE_FORMAT_H_
