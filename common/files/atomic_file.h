// A file that appears under its name complete or not at all: it is written under a temporary name
// in the same folder, synced, renamed, and the folder is synced (design, promise P5).
#ifndef CONVOY_COMMON_FILES_ATOMIC_FILE_H_
#define CONVOY_COMMON_FILES_ATOMIC_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/files/file_hash.h"
#include "common/files/owned_fd.h"
#include "common/files/sequential_writer.h"

namespace convoy {

// One thread. Destroyed before Commit: the temporary file is removed and a file
// that already had the name stays as it was.
class AtomicFile {
 public:
  // Opens `path`.tmp-<pid>-<n>. The folder must exist.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Sets the length; bytes that were not written are zeros.
  absl::Status Resize(uint64_t size);
  // Appends at the end of what was appended before.
  absl::Status Append(std::string_view data);
  // Writes from byte `offset` on. A file that is written from its front to its end goes past the
  // page cache (sequential_writer.h); of others the disk begins with what is there already, so that
  // Commit waits for little.
  absl::Status WriteAt(uint64_t offset, std::string_view data);
  // Makes the file durable and gives it its name. Call once, last; FailedPrecondition afterwards,
  // also after an error: a system that could not sync once may have dropped what it had, and say
  // the next time that all is well.
  absl::Status Commit();
  // As Commit, with the checksum of what was written. Unless that was written from its front to its
  // end it is read again, while the disk is busy.
  absl::StatusOr<FileHash> CommitAndHash();

  const std::string& path() const { return path_; }

 private:
  AtomicFile(std::string path, std::string temporary_path, OwnedFd fd);
  // What comes now does not go on where the front ended.
  absl::Status FinishFront();
  absl::Status BeginCommit();
  // What is durable gets its name.
  absl::Status Publish();

  const std::string path_;
  const std::string temporary_path_;
  OwnedFd fd_;
  std::optional<SequentialWriter> front_;  // until something is written out of order
  uint64_t appended_ = 0;                  // bytes, by Append
  uint64_t written_ = 0;                   // bytes, beyond the front
  bool commit_began_ = false;
  bool committed_ = false;
};

// Create, Append, Commit.
absl::Status WriteFileAtomically(const std::string& path, std::string_view contents);

// Makes the names in the folder of `path` durable.
absl::Status SyncFolderOf(const std::string& path);

// Removes the temporary files in `folder` of processes of this machine that have ended before they
// had given them their names, and returns what they were called. What can't be removed stays. This
// process and those of other machines may not be writing there.
std::vector<std::string> RemoveAbandonedFiles(const std::string& folder);

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_ATOMIC_FILE_H_
