// The binary cache of parsed data files: built once per host, mapped by every process.
#ifndef CONVOY_WORKER_DATA_CACHE_H_
#define CONVOY_WORKER_DATA_CACHE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/job.pb.h"
#include "worker/data/activity.h"
#include "worker/data/cache_format.h"
#include "worker/data/csv/csv_cache.h"
#include "worker/data/posix_file.h"

namespace convoy {

// What is cached: one file of examples, with its labels.
struct CacheSource {
  v1::Data::Format format = v1::Data::LIBSVM;  // not AUTO
  std::string examples;                        // path
  std::string labels;                          // IDX: path, empty for none
  bool zero_based = false;                     // libsvm
  bool ids = false;                            // libsvm: indices are ids
  uint64_t max_bad_lines = 0;                  // libsvm, libffm, Criteo: that may be skipped
  v1::Csv csv = {};                            // CSV, TSV: the settings that name the cache
  CsvEncoding encoding = {};                   // CSV, TSV: how rows are encoded
};

struct CacheOptions {
  std::string directory;      // made if missing
  ActivityCallback activity;  // may be empty
  // How long to wait for a process that builds the cache and reports no progress.
  absl::Duration silence_limit = absl::Minutes(10);
};

// A mapped cache; may be used from any thread.
class CacheFile {
 public:
  // Errors of MappedFile and CacheView.
  static absl::StatusOr<std::shared_ptr<const CacheFile>> Open(const std::string& path);
  const CacheView& view() const { return view_; }

 private:
  CacheFile(MappedFile file, const CacheView& view) : file_(std::move(file)), view_(view) {}

  const MappedFile file_;
  const CacheView view_;
};

// Makes the folder of the cache. PermissionDenied, ResourceExhausted: with advice.
absl::Status MakeCacheDirectory(const std::string& directory);

// Where the cache of `source` is: named after the file and a hash of absolute paths, options and
// format version.
std::string CachePath(const CacheSource& source, const std::string& directory);

// The cache of `source`, built if it is missing, damaged, or older than a source that changed in
// size or time. Its checksums have been compared. Errors as for OpenData.
absl::StatusOr<std::shared_ptr<const CacheFile>> OpenCache(const CacheSource& source,
                                                           const CacheOptions& options);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CACHE_H_
