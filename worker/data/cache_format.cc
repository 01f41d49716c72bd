#include "worker/data/cache_format.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

static_assert(std::endian::native == std::endian::little, "the cache is mapped, not decoded");

constexpr char kMagic[8] = {'C', 'O', 'N', 'V', 'O', 'Y', 'D', 'C'};

constexpr uint64_t kMaxCount = uint64_t{1} << 58;  // sizes and offsets stay within 63 bits

uint64_t Aligned(uint64_t offset) {
  return (offset + kCacheAlignment - 1) / kCacheAlignment * kCacheAlignment;
}

// The header as it stands in the file. All fields are naturally aligned: no padding.
struct RawHeader {
  char magic[8];
  uint32_t version;
  uint32_t kind;
  uint32_t element;
  uint32_t labelled;
  uint64_t options_hash;
  FileStamp sources[2];
  uint64_t examples;
  uint64_t features;
  uint64_t features_line;
  uint64_t shape[3];
  uint64_t entries;
  CacheExtent sections[kCacheSections];
  uint64_t fields;
  uint64_t fields_line;
  uint64_t bad_lines;
  uint64_t first_bad_line;
  char reserved[16];
  uint64_t checksum;  // xxh3 of all bytes before
};
static_assert(sizeof(RawHeader) == kCacheHeaderBytes);
static_assert(offsetof(RawHeader, sections) == 120);

uint64_t HeaderChecksum(const RawHeader& raw) {
  return XXH3_64bits(&raw, offsetof(RawHeader, checksum));
}

absl::Status Damaged(const std::string& what) {
  return absl::DataLossError(absl::StrCat("data cache: ", what));
}

// False: the product is beyond kMaxCount.
bool Multiply(uint64_t a, uint64_t b, uint64_t* product) {
  return !__builtin_mul_overflow(a, b, product) && *product <= kMaxCount;
}

absl::Status Contradiction(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("contradictory header: ", std::string(what)));
}

absl::Status CheckDense(const CacheHeader& header) {
  uint64_t product = 0;
  if (!Multiply(header.examples, header.features, &product) || product != header.entries) {
    return Contradiction("examples x features");
  }
  if (!Multiply(header.shape[0], header.shape[1], &product) ||
      !Multiply(product, header.shape[2], &product) || product != header.features) {
    return Contradiction("shape");
  }
  return absl::OkStatus();
}

absl::Status CheckFields(const CacheHeader& header) {
  if (header.examples < 1 || header.examples > std::numeric_limits<uint32_t>::max()) {
    return Contradiction("examples");
  }
  if (header.features > std::numeric_limits<int64_t>::max()) return Contradiction("features");
  if (header.entries > kMaxCount) return Contradiction("entries");
  const bool ids = header.kind == CacheKind::kIds;
  if ((header.element == CacheElement::kOne && !ids) ||
      (header.element == CacheElement::kUbyte && header.in_rows())) {
    return Contradiction("element type");
  }
  if (header.fields > (ids ? kMaxFields : 0)) return Contradiction("fields");
  if (ids && header.features > 0) return Contradiction("ids with features");
  return header.kind == CacheKind::kDense ? CheckDense(header) : absl::OkStatus();
}

RawHeader ToRaw(const CacheHeader& header) {
  RawHeader raw = {};
  std::memcpy(raw.magic, kMagic, sizeof(kMagic));
  raw.version = kCacheVersion;
  raw.kind = static_cast<uint32_t>(header.kind);
  raw.element = static_cast<uint32_t>(header.element);
  raw.labelled = header.labelled ? 1 : 0;
  raw.options_hash = header.options_hash;
  std::copy(header.sources.begin(), header.sources.end(), raw.sources);
  raw.examples = header.examples;
  raw.features = header.features;
  raw.features_line = header.features_line;
  std::copy(header.shape.begin(), header.shape.end(), raw.shape);
  raw.entries = header.entries;
  std::copy(header.sections.begin(), header.sections.end(), raw.sections);
  raw.fields = header.fields;
  raw.fields_line = header.fields_line;
  raw.bad_lines = header.bad_lines;
  raw.first_bad_line = header.first_bad_line;
  raw.checksum = HeaderChecksum(raw);
  return raw;
}

CacheHeader FromRaw(const RawHeader& raw) {
  CacheHeader header;
  header.kind = CacheKind{raw.kind};
  header.element = CacheElement{raw.element};
  header.labelled = raw.labelled == 1;
  header.options_hash = raw.options_hash;
  std::copy_n(raw.sources, 2, header.sources.begin());
  header.examples = raw.examples;
  header.features = raw.features;
  header.features_line = raw.features_line;
  std::copy_n(raw.shape, 3, header.shape.begin());
  header.entries = raw.entries;
  std::copy_n(raw.sections, kCacheSections, header.sections.begin());
  header.fields = raw.fields;
  header.fields_line = raw.fields_line;
  header.bad_lines = raw.bad_lines;
  header.first_bad_line = raw.first_bad_line;
  return header;
}

absl::Status CheckRaw(const RawHeader& raw, CacheCheck check) {
  if (std::memcmp(raw.magic, kMagic, sizeof(kMagic)) != 0) return Damaged("wrong magic number");
  if (raw.version != kCacheVersion) {
    return Damaged(absl::StrCat("format version: expected ", kCacheVersion, ", got ", raw.version));
  }
  if (check == CacheCheck::kChecksums && raw.checksum != HeaderChecksum(raw)) {
    return Damaged("checksum of the header differs");
  }
  if (raw.kind < 1 || raw.kind > 3 || raw.element < 1 || raw.element > 3 || raw.labelled > 1) {
    return Damaged("unknown kind, element type or flag");
  }
  return absl::OkStatus();
}

// Whether the sections stand where the other fields say.
absl::Status CheckLayout(const CacheHeader& header, uint64_t file_bytes) {
  CacheHeader expected = header;
  if (const absl::Status status = LayOut(&expected); !status.ok()) {
    return Damaged(std::string(status.message()));
  }
  for (size_t i = 0; i < kCacheSections; ++i) {
    if (header.sections[i].offset != expected.sections[i].offset ||
        header.sections[i].bytes != expected.sections[i].bytes) {
      return Damaged(absl::StrCat("section ", i, " is not where it should be"));
    }
  }
  if (file_bytes != CacheFileBytes(expected)) {
    return Damaged(absl::StrCat("expected ", CacheFileBytes(expected), " bytes, got ", file_bytes));
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t Checksum(std::span<const char> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

absl::Status LayOut(CacheHeader* header) {
  CONVOY_RETURN_IF_ERROR(CheckFields(*header));
  const bool sparse = header->kind == CacheKind::kSparse;
  header->sections[kValues].bytes = header->entries * header->element_bytes();
  header->sections[kLabels].bytes = header->labelled ? header->examples * sizeof(float) : 0;
  const bool ids = header->kind == CacheKind::kIds;
  header->sections[kRowOffsets].bytes =
      header->in_rows() ? (header->examples + 1) * sizeof(int64_t) : 0;
  header->sections[kColumns].bytes = sparse ? header->entries * sizeof(uint32_t) : 0;
  header->sections[kIds].bytes = ids ? header->entries * sizeof(uint64_t) : 0;
  header->sections[kFields].bytes = header->fields > 1 ? header->entries * sizeof(uint16_t) : 0;
  uint64_t offset = kCacheHeaderBytes;
  for (CacheExtent& section : header->sections) {
    section.offset = offset;
    offset = Aligned(offset + section.bytes);
  }
  return absl::OkStatus();
}

uint64_t CacheFileBytes(const CacheHeader& header) {
  const CacheExtent& last = header.sections.back();
  return Aligned(last.offset + last.bytes);
}

std::array<char, kCacheHeaderBytes> EncodeCacheHeader(const CacheHeader& header) {
  return std::bit_cast<std::array<char, kCacheHeaderBytes>>(ToRaw(header));
}

absl::StatusOr<CacheView> CacheView::Parse(std::span<const char> file, CacheCheck check) {
  if (file.size() < kCacheHeaderBytes) {
    return Damaged(absl::StrCat("expected a header of ", kCacheHeaderBytes, " bytes, got ",
                                file.size(), " bytes"));
  }
  RawHeader raw;
  std::memcpy(&raw, file.data(), sizeof(raw));
  CONVOY_RETURN_IF_ERROR(CheckRaw(raw, check));
  const CacheView view(file, FromRaw(raw));
  CONVOY_RETURN_IF_ERROR(CheckLayout(view.header_, file.size()));
  if (check == CacheCheck::kChecksums) CONVOY_RETURN_IF_ERROR(view.CheckSums());
  CONVOY_RETURN_IF_ERROR(view.CheckRows());
  return view;
}

absl::Status CacheView::CheckSums() const {
  for (size_t i = 0; i < kCacheSections; ++i) {
    const CacheExtent& section = header_.sections[i];
    if (Checksum(file_.subspan(section.offset, section.bytes)) != section.checksum) {
      return Damaged(absl::StrCat("checksum of section ", i, " differs"));
    }
  }
  return absl::OkStatus();
}

absl::Status CacheView::CheckRows() const {
  if (header_.kind == CacheKind::kDense) return absl::OkStatus();
  const std::span<const int64_t> offsets = row_offsets();
  if (offsets.front() != 0 || offsets.back() != static_cast<int64_t>(header_.entries) ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    return Damaged("row offsets do not ascend from 0 to the number of entries");
  }
  return header_.kind == CacheKind::kIds ? CheckFieldNumbers() : CheckColumns();
}

absl::Status CacheView::CheckColumns() const {
  uint32_t largest = 0;
  for (const uint32_t column : columns()) largest = std::max(largest, column);
  if (header_.entries > 0 && largest >= header_.features) {
    return Damaged(absl::StrCat("column ", largest, " of ", header_.features));
  }
  return absl::OkStatus();
}

absl::Status CacheView::CheckFieldNumbers() const {
  uint16_t largest = 0;
  for (const uint16_t field : fields()) largest = std::max(largest, field);
  if (!fields().empty() && largest >= header_.fields) {
    return Damaged(absl::StrCat("field ", largest, " of ", header_.fields));
  }
  return absl::OkStatus();
}

}  // namespace convoy
