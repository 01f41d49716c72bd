#include "worker/data/cache.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status.h"
#include "worker/data/cache_builder.h"
#include "worker/data/cache_lock.h"
#include "worker/data/cache_writer.h"

namespace convoy {
namespace {

constexpr size_t kShownNameBytes = 48;

using Stamps = std::array<FileStamp, 2>;

std::string AbsolutePath(const std::string& path) {
  if (path.empty()) return path;
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::weakly_canonical(path, error);
  return error ? path : absolute.string();
}

bool IsCsv(v1::Data::Format format) { return format == v1::Data::CSV || format == v1::Data::TSV; }

// What caches of the same files differ in by name.
std::string OptionsText(const CacheSource& source) {
  const std::string format = absl::StrCat("format=", v1::Data::Format_Name(source.format));
  if (!IsCsv(source.format)) {
    return absl::StrCat(
        format, " zero_based=", source.zero_based ? 1 : 0, source.ids ? " ids=1" : "",
        source.max_bad_lines > 0 ? absl::StrCat(" max_bad_lines=", source.max_bad_lines) : "");
  }
  return absl::StrFormat("%s csv=%016x labels=%d", format, Checksum(source.csv.SerializeAsString()),
                         source.encoding.read_labels);
}

// What a cache is valid for: not for another schema of the same settings.
uint64_t OptionsHash(const CacheSource& source) {
  std::string text = OptionsText(source);
  if (IsCsv(source.format)) {
    absl::StrAppendFormat(&text, " max_bad_lines=%d schema=%016x", source.encoding.max_bad_lines,
                          Checksum(source.encoding.schema->SerializeAsString()));
  }
  return Checksum(text);
}

std::string ShownName(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1).substr(0, kShownNameBytes);
  std::replace_if(
      name.begin(), name.end(),
      [](char c) {
        return !absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-';
      },
      '_');
  return name;
}

absl::StatusOr<Stamps> SourceStamps(const CacheSource& source) {
  Stamps stamps;
  CONVOY_ASSIGN_OR_RETURN(stamps[0], StampOf(source.examples));
  if (!source.labels.empty()) {
    CONVOY_ASSIGN_OR_RETURN(stamps[1], StampOf(source.labels));
  }
  return stamps;
}

// The cache at `path` if it is whole and that of `stamps`; otherwise null.
std::shared_ptr<const CacheFile> OpenIfCurrent(const std::string& path, const Stamps& stamps,
                                               uint64_t options_hash) {
  absl::StatusOr<std::shared_ptr<const CacheFile>> cache = CacheFile::Open(path);
  if (!cache.ok()) return nullptr;
  const CacheHeader& header = (*cache)->view().header();
  if (header.sources != stamps || header.options_hash != options_hash) return nullptr;
  return *std::move(cache);
}

absl::Status Publish(const std::string& temporary, const std::string& path) {
  const std::string directory = DirectoryOf(path);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return CacheNotWritable(directory, ErrnoStatus(path, "can't rename to it", errno));
  }
  const absl::Status synced = SyncDirectory(directory);
  return synced.ok() ? synced : CacheNotWritable(directory, synced);
}

// Deletes a file at the end unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

absl::StatusOr<std::shared_ptr<const CacheFile>> Build(const CacheSource& source,
                                                       const Stamps& stamps, uint64_t options_hash,
                                                       const std::string& path,
                                                       const ActivityCallback& activity) {
  // The lock makes the fixed name safe, and it leaves no litter when a builder is killed.
  const TemporaryFile temporary(path + ".tmp");
  CONVOY_ASSIGN_OR_RETURN(const std::unique_ptr<CacheWriter> writer,
                          CacheWriter::Create(temporary.path()));
  CONVOY_ASSIGN_OR_RETURN(CacheHeader header, WriteSections(source, activity, writer.get()));
  header.sources = stamps;
  header.options_hash = options_hash;
  if (activity) activity(absl::StrCat("writing the cache of ", source.examples));
  CONVOY_RETURN_IF_ERROR(writer->Finish(header));
  CONVOY_ASSIGN_OR_RETURN(const Stamps stamps_after, SourceStamps(source));
  if (stamps_after != stamps) {
    return absl::UnavailableError(
        absl::StrCat(source.examples, ": it or its labels changed while it was read; try again"));
  }
  CONVOY_ASSIGN_OR_RETURN(std::shared_ptr<const CacheFile> cache,
                          CacheFile::Open(temporary.path()));
  CONVOY_RETURN_IF_ERROR(Publish(temporary.path(), path));
  return cache;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CacheFile>> CacheFile::Open(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Map(path));
  absl::StatusOr<CacheView> view = CacheView::Parse(file.bytes(), CacheCheck::kChecksums);
  if (!view.ok()) return Annotate(view.status(), path);
  return std::shared_ptr<const CacheFile>(new CacheFile(std::move(file), *view));
}

absl::Status MakeCacheDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) return absl::OkStatus();
  return CacheNotWritable(directory, ErrnoStatus(directory, "can't create", error.value()));
}

std::string CachePath(const CacheSource& source, const std::string& directory) {
  const std::string key =
      absl::StrCat("version=", kCacheVersion, " ", OptionsText(source), "\n",
                   AbsolutePath(source.examples), "\n", AbsolutePath(source.labels));
  return absl::StrFormat("%s/%s-%016x.cache", directory, ShownName(source.examples), Checksum(key));
}

absl::StatusOr<std::shared_ptr<const CacheFile>> OpenCache(const CacheSource& source,
                                                           const CacheOptions& options) {
  const std::string path = CachePath(source, options.directory);
  const uint64_t options_hash = OptionsHash(source);
  CONVOY_ASSIGN_OR_RETURN(Stamps stamps, SourceStamps(source));
  if (auto cache = OpenIfCurrent(path, stamps, options_hash)) return cache;

  CONVOY_RETURN_IF_ERROR(MakeCacheDirectory(options.directory));
  CONVOY_ASSIGN_OR_RETURN(
      CacheLock lock,
      CacheLock::Acquire(path + ".lock", source.examples, options.activity, options.silence_limit));
  CONVOY_ASSIGN_OR_RETURN(stamps, SourceStamps(source));
  if (auto cache = OpenIfCurrent(path, stamps, options_hash)) return cache;
  return Build(source, stamps, options_hash, path, [&](const std::string& what) {
    lock.ReportProgress(what);
    if (options.activity) options.activity(what);
  });
}

}  // namespace convoy
