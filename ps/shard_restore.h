// Makes a new shard what the cells of a checkpoint were, however many servers wrote it.
#ifndef CONVOY_PS_SHARD_RESTORE_H_
#define CONVOY_PS_SHARD_RESTORE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/placement/placement.h"
#include "ps/shard.h"

namespace convoy {

// Before the first request. `rank`: of the shard's server in the placement. FailedPrecondition: the
// checkpoint has other variables, tables or slots than the job; says which. DataLoss: a file is
// damaged.
absl::Status RestoreShard(const CheckpointReader& checkpoint, const Placement& placement,
                          uint32_t rank, Shard& shard);

}  // namespace convoy

#endif  // CONVOY_PS_SHARD_RESTORE_H_
