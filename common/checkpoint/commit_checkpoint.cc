#include "common/checkpoint/commit_checkpoint.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/files/atomic_file.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status NameError(const std::string& path) {
  return ErrnoError("cannot give the checkpoint its name", path);
}

// What has the name already gets the temporary one at the same moment, and goes once that is
// durable.
absl::Status GiveName(const std::string& temporary, const std::string& path) {
  if (::rename(temporary.c_str(), path.c_str()) == 0) return SyncFolderOf(path);
  const bool is_taken = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR;
  if (!is_taken) return NameError(path);
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
    CONVOY_RETURN_IF_ERROR(SyncFolderOf(path));
    std::error_code left;  // under a temporary name: the next start removes it
    std::filesystem::remove_all(temporary, left);
    return absl::OkStatus();
  }
  if (errno != EINVAL && errno != ENOSYS) return NameError(path);
  // File systems that exchange nothing, e.g. NFS, have neither for a moment.
  CONVOY_RETURN_IF_ERROR(RemoveCheckpoint(path));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return NameError(path);
  return SyncFolderOf(path);
}

}  // namespace

absl::Status CommitCheckpoint(const std::string& checkpoints, const std::string& temporary,
                              const CheckpointManifest& manifest) {
  const std::string path = absl::StrCat(checkpoints, "/", CheckpointName(manifest.step));
  // Perhaps it was done before, by a process that could not say so. What has the temporary name
  // then is what had this one.
  const absl::StatusOr<CheckpointManifest> there = ReadManifest(path);
  if (there.ok() && ToJson(*there) == ToJson(manifest)) {
    CONVOY_RETURN_IF_ERROR(SyncFolderOf(path));
    std::error_code left;
    std::filesystem::remove_all(temporary, left);
    return absl::OkStatus();
  }
  CONVOY_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(temporary, "/", kManifestName), ToJson(manifest)));
  CONVOY_RETURN_IF_ERROR(GiveName(temporary, path));
  return SyncFolderOf(checkpoints);  // the folder of all of them may be new
}

}  // namespace convoy
