// The rows of a bucket from those of an earlier checkpoint and what has changed since.
#ifndef CONVOY_COMMON_CHECKPOINT_DELTA_ROWS_H_
#define CONVOY_COMMON_CHECKPOINT_DELTA_ROWS_H_

#include <cstdint>
#include <span>

#include "common/checkpoint/bucket_rows.h"

namespace convoy {

// `changed`: rows that were new or have changed, ids ascending, as in `base`. `removed`: ids,
// ascending, whose rows went; of ids that are in `changed`, too, they came again later. All rows
// have the same columns.
BucketRows ApplyDelta(const BucketRows& base, const BucketRows& changed,
                      std::span<const uint64_t> removed);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_DELTA_ROWS_H_
