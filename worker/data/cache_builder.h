// From data files to the sections of a cache.
#ifndef CONVOY_WORKER_DATA_CACHE_BUILDER_H_
#define CONVOY_WORKER_DATA_CACHE_BUILDER_H_

#include "absl/status/statusor.h"
#include "worker/data/activity.h"
#include "worker/data/cache.h"
#include "worker/data/cache_writer.h"

namespace convoy {

// Reads the files of `source` and appends their contents to `writer`. Returns what a header says of
// the contents; sections, sources and options are the caller's. InvalidArgument: what the files
// hold; else errors of ByteSource and CacheWriter.
absl::StatusOr<CacheHeader> WriteSections(const CacheSource& source,
                                          const ActivityCallback& activity, CacheWriter* writer);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CACHE_BUILDER_H_
