// How many features and fields the examples of a job have, and whether a file fits.
#ifndef CONVOY_WORKER_DATA_DATA_SHAPE_H_
#define CONVOY_WORKER_DATA_DATA_SHAPE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "worker/data/cache_format.h"
#include "worker/data/cached_dataset.h"

namespace convoy {

// Numbers of the job or of the training data; 0: not known yet, the file decides.
struct WantedShape {
  int64_t features = 0;
  int64_t fields = 0;
};

WantedShape WantedBy(const v1::Data& data);

// How the file `path` is read, which has become a cache with `header`. InvalidArgument: another
// number of features than `wanted` (dense), a larger index or field (names the line), or no feature
// at all, or a number of features for data of ids.
absl::StatusOr<DatasetOptions> OptionsFor(const v1::Data& data, const CacheHeader& header,
                                          const std::string& path, const WantedShape& wanted);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_DATA_SHAPE_H_
