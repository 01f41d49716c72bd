// The last step of a checkpoint: from files under a temporary name to one that counts.
#ifndef CONVOY_COMMON_CHECKPOINT_COMMIT_CHECKPOINT_H_
#define CONVOY_COMMON_CHECKPOINT_COMMIT_CHECKPOINT_H_

#include <string>

#include "absl/status/status.h"
#include "common/checkpoint/manifest.h"

namespace convoy {

// `temporary`: a folder in `checkpoints` that holds the files of the manifest, synced. Writes the
// manifest and gives the folder the name of its step; one that has the name already is replaced,
// so that a crash leaves one of the two. Afterwards the checkpoint survives a crash of the machine.
absl::Status CommitCheckpoint(const std::string& checkpoints, const std::string& temporary,
                              const CheckpointManifest& manifest);

}  // namespace convoy

#endif  // CONVOY_COMMON_CHECKPOINT_COMMIT_CHECKPOINT_H_
