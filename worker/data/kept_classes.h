// data.keep_classes: a data set of some classes only.
#ifndef CONVOY_WORKER_DATA_KEPT_CLASSES_H_
#define CONVOY_WORKER_DATA_KEPT_CLASSES_H_

#include <string>

#include "absl/status/status.h"
#include "proto/job.pb.h"
#include "worker/data/cache_format.h"
#include "worker/data/cached_dataset.h"

namespace convoy {

// Leaves in `options` those rows of the cache whose label is one of data.keep_classes; all if that
// is empty. InvalidArgument: there are none, or the file `path` has no labels.
absl::Status KeepClasses(const v1::Data& data, const CacheView& cache, const std::string& path,
                         DatasetOptions* options);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_KEPT_CLASSES_H_
