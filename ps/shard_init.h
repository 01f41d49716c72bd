// Makes a new shard begin with values of a checkpoint or file (Job.init).
#ifndef CONVOY_PS_SHARD_INIT_H_
#define CONVOY_PS_SHARD_INIT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/checkpoint/init_values.h"
#include "common/placement/placement.h"
#include "ps/shard.h"
#include "ps/table/table_shard.h"

namespace convoy {

// Before the first request. Weights, slots and update counters of the blocks and buckets of the
// shard's server, `rank` in the placement; all stay at version 0. `seed`: of the job. Errors as
// those of InitValues, and of InitTable.
absl::Status InitShard(const InitValues& init, const Placement& placement, uint32_t rank,
                       uint64_t seed, Shard& shard);

// The rows of table number `number` that are in the buckets rank, rank + servers, ... of `table`.
// InvalidArgument: an id is there twice, or there are
// more rows, for all servers together, than the table may have; ResourceExhausted: more rows than a
// bucket can have.
absl::Status InitTable(const InitValues& init, size_t number, uint32_t rank, uint32_t servers,
                       uint64_t seed, TableShard& table);

}  // namespace convoy

#endif  // CONVOY_PS_SHARD_INIT_H_
