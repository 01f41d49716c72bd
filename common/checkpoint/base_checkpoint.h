// Delta checkpoints and what they are changes of. A base may be a delta checkpoint itself; the
// first of such a chain is complete.
#ifndef CONVOY_COMMON_CHECKPOINT_BASE_CHECKPOINT_H_
#define CONVOY_COMMON_CHECKPOINT_BASE_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/manifest.h"

namespace convoy {

// The folder of the base of the delta checkpoint in `folder`, which `manifest` is of: beside it,
// or, if it is a link, beside what it leads to. DataLoss: it is not there, or another checkpoint
// has its name.
absl::StatusOr<std::string> BaseFolderOf(const std::string& folder,
                                         const CheckpointManifest& manifest);

struct CheckpointBases {
  std::map<uint64_t, uint64_t> known;  // by step of a delta checkpoint, that of its base
  // Of these it can't be told: their manifests are of a newer version, or could not be read now.
  // Those that are damaged need nothing any more.
  std::map<uint64_t, absl::Status> unknown;
};
CheckpointBases BasesOf(std::span<const StoredCheckpoint> checkpoints);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_BASE_CHECKPOINT_H_
