// data.old: the data of earlier trainings.
#ifndef CONVOY_WORKER_DATA_OLD_DATA_H_
#define CONVOY_WORKER_DATA_OLD_DATA_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "worker/data/activity.h"
#include "worker/data/dataset.h"

namespace convoy {

struct OldSets {
  std::unique_ptr<Dataset> replayed;    // null: none
  std::unique_ptr<Dataset> validation;  // null: none
};

// Opens data.old of the job whose training data are `train`, with their features and `schema`
// (CSV and TSV; else null). A fraction of data.old.path as validation is drawn as one of data.train
// is, so it has the rows that an earlier job with the same seed held back. InvalidArgument: the
// files have examples of another kind or shape than the training data, or no labels. Other errors
// as of OpenData.
absl::StatusOr<OldSets> OpenOldData(const v1::Data& data, uint64_t seed, const Dataset& train,
                                    std::shared_ptr<const v1::Schema> schema,
                                    const ActivityCallback& activity);

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_OLD_DATA_H_
