#include "worker/data/csv/learned_schema.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/files/atomic_file.h"
#include "common/status.h"
#include "worker/data/cache_format.h"
#include "worker/data/cache_lock.h"
#include "worker/data/cache_writer.h"
#include "worker/data/csv/csv_file.h"
#include "worker/data/csv/schema_layout.h"
#include "worker/data/csv/schema_learner.h"

namespace convoy {
namespace {

using SchemaPointer = std::shared_ptr<const v1::Schema>;

// First line of the file: what the schema was learnt from, and a checksum of the rest.
std::string FirstLine(const FileStamp& stamp, const std::string& schema) {
  return absl::StrFormat("convoy schema %d size=%d mtime_ns=%d xxh3=%016x\n", kSchemaVersion,
                         stamp.size, stamp.mtime_ns, Checksum(schema));
}

// The schema at `path` if it is whole and that of `stamp`; otherwise null.
SchemaPointer ReadIfCurrent(const std::string& path, const FileStamp& stamp) {
  const absl::StatusOr<MappedFile> file = MappedFile::Map(path);
  if (!file.ok()) return nullptr;
  const std::string text(file->bytes().begin(), file->bytes().end());
  const size_t line = text.find('\n');
  if (line == std::string::npos) return nullptr;
  const std::string bytes = text.substr(line + 1);
  auto schema = std::make_shared<v1::Schema>();
  if (text.substr(0, line + 1) != FirstLine(stamp, bytes)) return nullptr;
  if (!schema->ParseFromString(bytes) || !CheckSchema(*schema).ok()) return nullptr;
  return schema;
}

absl::StatusOr<SchemaPointer> Learn(const std::string& train, const v1::Csv& settings, bool tsv,
                                    const FileStamp& stamp, const std::string& path,
                                    const ActivityCallback& activity) {
  CONVOY_ASSIGN_OR_RETURN(v1::Schema schema, LearnSchema([&] { return OpenText(train, activity); },
                                                         train, settings, tsv));
  CONVOY_ASSIGN_OR_RETURN(const FileStamp stamp_after, StampOf(train));
  if (stamp_after != stamp) {
    return absl::UnavailableError(absl::StrCat(train, ": it changed while it was read; try again"));
  }
  const std::string bytes = schema.SerializeAsString();
  const absl::Status written = WriteFileAtomically(path, FirstLine(stamp, bytes) + bytes);
  if (!written.ok()) return CacheNotWritable(DirectoryOf(path), written);
  return std::make_shared<const v1::Schema>(std::move(schema));
}

}  // namespace

std::string LearnedSchemaPath(const std::string& train, const v1::Csv& settings, bool tsv,
                              const std::string& directory) {
  CacheSource source;
  source.format = tsv ? v1::Data::TSV : v1::Data::CSV;
  source.examples = train;
  source.csv = settings;
  return CachePath(source, directory) + ".schema";
}

absl::StatusOr<SchemaPointer> LearnedSchema(const std::string& train, const v1::Csv& settings,
                                            bool tsv, const CacheOptions& options) {
  const std::string path = LearnedSchemaPath(train, settings, tsv, options.directory);
  CONVOY_ASSIGN_OR_RETURN(FileStamp stamp, StampOf(train));
  if (SchemaPointer schema = ReadIfCurrent(path, stamp)) return schema;

  CONVOY_RETURN_IF_ERROR(MakeCacheDirectory(options.directory));
  CONVOY_ASSIGN_OR_RETURN(
      CacheLock lock,
      CacheLock::Acquire(path + ".lock", train, options.activity, options.silence_limit));
  CONVOY_ASSIGN_OR_RETURN(stamp, StampOf(train));
  if (SchemaPointer schema = ReadIfCurrent(path, stamp)) return schema;
  return Learn(train, settings, tsv, stamp, path, [&](const std::string& what) {
    const std::string text = absl::StrCat(what, " (learning its schema)");
    lock.ReportProgress(text);
    if (options.activity) options.activity(text);
  });
}

}  // namespace convoy
