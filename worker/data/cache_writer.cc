#include "worker/data/cache_writer.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {
constexpr size_t kCopyBytes = 1 << 20;
}  // namespace

class CacheWriter::Hash {
 public:
  Hash() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
  ~Hash() { XXH3_freeState(state_); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  void Add(std::span<const char> bytes) { XXH3_64bits_update(state_, bytes.data(), bytes.size()); }
  uint64_t Value() const { return XXH3_64bits_digest(state_); }

 private:
  XXH3_state_t* const state_;
};

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status CacheNotWritable(const std::string& directory, const absl::Status& cause) {
  const auto code = absl::IsPermissionDenied(cause) ? absl::StatusCode::kPermissionDenied
                                                    : absl::StatusCode::kResourceExhausted;
  return absl::Status(
      code, absl::StrCat("the data cache can't be written to ", directory, " (", cause.message(),
                         "); set data.cache_dir to a folder that is writable and "
                         "has room for the data"));
}

absl::StatusOr<std::unique_ptr<CacheWriter>> CacheWriter::Create(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  absl::StatusOr<PosixFile> file = PosixFile::Create(path);
  if (!file.ok()) return CacheNotWritable(directory, file.status());
  std::unique_ptr<CacheWriter> writer(new CacheWriter(*std::move(file)));
  for (size_t i = kValues + 1; i < kCacheSections; ++i) {
    absl::StatusOr<PosixFile> spool = PosixFile::CreateUnnamed(directory);
    if (!spool.ok()) return CacheNotWritable(directory, spool.status());
    writer->spools_[i].emplace(*std::move(spool));
  }
  CONVOY_RETURN_IF_ERROR(writer->Advised(writer->file_.Seek(kCacheHeaderBytes)));
  return writer;
}

CacheWriter::CacheWriter(PosixFile file) : file_(std::move(file)) {
  for (std::unique_ptr<Hash>& hash : hashes_) hash = std::make_unique<Hash>();
}

CacheWriter::~CacheWriter() = default;

absl::Status CacheWriter::Append(CacheSection section, std::span<const char> bytes) {
  hashes_[section]->Add(bytes);
  bytes_[section] += bytes.size();
  PosixFile& file = section == kValues ? file_ : *spools_[section];
  return Advised(file.Write(bytes));
}

absl::Status CacheWriter::Finish(CacheHeader header) {
  CONVOY_RETURN_IF_ERROR(LayOut(&header));
  for (size_t i = 0; i < kCacheSections; ++i) {
    if (header.sections[i].bytes != bytes_[i]) {
      return absl::InternalError(absl::StrCat("data cache: section ", i, ": expected ",
                                              header.sections[i].bytes, " bytes, got ", bytes_[i]));
    }
    header.sections[i].checksum = hashes_[i]->Value();
    if (spools_[i]) {
      CONVOY_RETURN_IF_ERROR(Advised(CopySpool(header.sections[i], &*spools_[i])));
    }
  }
  CONVOY_RETURN_IF_ERROR(Advised(file_.Resize(CacheFileBytes(header))));
  CONVOY_RETURN_IF_ERROR(Advised(file_.Seek(0)));
  CONVOY_RETURN_IF_ERROR(Advised(file_.Write(EncodeCacheHeader(header))));
  return Advised(file_.Sync());
}

absl::Status CacheWriter::CopySpool(const CacheExtent& extent, PosixFile* spool) {
  if (extent.bytes == 0) return absl::OkStatus();
  CONVOY_RETURN_IF_ERROR(file_.Seek(extent.offset));
  CONVOY_RETURN_IF_ERROR(spool->Seek(0));
  std::vector<char> buffer(std::min<uint64_t>(kCopyBytes, extent.bytes));
  while (true) {
    CONVOY_ASSIGN_OR_RETURN(const size_t got, spool->Read(buffer));
    if (got == 0) return absl::OkStatus();
    CONVOY_RETURN_IF_ERROR(file_.Write(std::span(buffer).first(got)));
  }
}

absl::Status CacheWriter::Advised(const absl::Status& status) const {
  return status.ok() ? status : CacheNotWritable(DirectoryOf(file_.path()), status);
}

}  // namespace convoy
