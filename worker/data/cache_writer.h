// Writes a data cache section by section, whatever their sizes turn out to be.
#ifndef CONVOY_WORKER_DATA_CACHE_WRITER_H_
#define CONVOY_WORKER_DATA_CACHE_WRITER_H_

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "worker/data/cache_format.h"
#include "worker/data/posix_file.h"

namespace convoy {

// Errors are PermissionDenied or ResourceExhausted and say that data.cache_dir can be set. One
// thread.
class CacheWriter {
 public:
  // Creates or empties `path`. Sections but the first are kept in unnamed files beside it, so that
  // memory does not grow with the data.
  static absl::StatusOr<std::unique_ptr<CacheWriter>> Create(const std::string& path);
  ~CacheWriter();

  // Adds `bytes` to the end of a section.
  absl::Status Append(CacheSection section, std::span<const char> bytes);
  // Puts the sections together behind the header and writes everything to disk. The fields of
  // `header` but the sections are the caller's; Internal: they do not fit what was appended.
  absl::Status Finish(CacheHeader header);

 private:
  class Hash;

  explicit CacheWriter(PosixFile file);
  absl::Status CopySpool(const CacheExtent& extent, PosixFile* spool);
  // `status` with advice.
  absl::Status Advised(const absl::Status& status) const;

  PosixFile file_;
  std::array<std::optional<PosixFile>, kCacheSections> spools_;  // none for kValues
  std::array<std::unique_ptr<Hash>, kCacheSections> hashes_;
  std::array<uint64_t, kCacheSections> bytes_ = {};
};

// The folder of `path`.
std::string DirectoryOf(const std::string& path);

// A failure to write into the cache folder, as PermissionDenied or ResourceExhausted with advice.
absl::Status CacheNotWritable(const std::string& directory, const absl::Status& cause);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CACHE_WRITER_H_
