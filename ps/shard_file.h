// A server's file of a checkpoint (docs/checkpoints.md), written while the training goes on.
#ifndef CONVOY_PS_SHARD_FILE_H_
#define CONVOY_PS_SHARD_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/placement/placement.h"
#include "ps/shard.h"

namespace convoy {

// Versions of the buckets of all tables, by table and bucket; 0 for those of other servers.
using BucketVersions = std::vector<std::vector<uint64_t>>;

struct ShardFile {
  std::string name;  // "server-0-of-2.safetensors"
  uint64_t bytes = 0;
  uint64_t xxh3 = 0;  // of all bytes
  // Of the server's own cell: steps, examples. Dropped slices of all cells.
  uint64_t version = 0;
  uint64_t examples = 0;
  uint64_t dropped = 0;
  bool delta = false;       // of tables only what has changed since the base
  BucketVersions versions;  // to be the base of another one
};

// Writes the snapshot that is armed, and which every cell has come to, to a new file in `folder`,
// which is made if it is missing. Takes memory for one bucket, besides what cells keep that have
// changed meanwhile. `base`: of an earlier file, after whose versions only changes of rows are
// wanted; not kept to if the server can't tell them any more. Null: all. FailedPrecondition: the
// snapshot was given up meanwhile; else what the system says of the file.
absl::StatusOr<ShardFile> WriteShard(Shard& shard, const Placement& placement, uint32_t rank,
                                     const std::string& folder,
                                     const BucketVersions* base = nullptr);

}  // namespace convoy

#endif  // CONVOY_PS_SHARD_FILE_H_
