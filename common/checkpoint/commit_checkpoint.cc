#include "common/checkpoint/commit_checkpoint.h"

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {

absl::Status CommitCheckpoint(const std::string& checkpoints, const std::string& temporary,
                              const CheckpointManifest& manifest) {
  const std::string path = absl::StrCat(checkpoints, "/", CheckpointName(manifest.step));
  std::error_code error;
  if (!std::filesystem::exists(temporary, error)) {
    // Perhaps it was done before, by a process that could not say so.
    const absl::StatusOr<CheckpointManifest> there = ReadManifest(path);
    if (there.ok() && ToJson(*there) == ToJson(manifest)) return SyncFolderOf(path);
  }
  CONVOY_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(temporary, "/", kManifestName), ToJson(manifest)));
  if (std::filesystem::exists(path, error)) CONVOY_RETURN_IF_ERROR(RemoveCheckpoint(path));
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return ErrnoError("cannot give the checkpoint its name", path);
  }
  CONVOY_RETURN_IF_ERROR(SyncFolderOf(path));
  return SyncFolderOf(checkpoints);  // the folder of all of them may be new
}

}  // namespace convoy
