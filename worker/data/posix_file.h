// Files by descriptor, with errors that name the path, and read-only mappings.
#ifndef CONVOY_WORKER_DATA_POSIX_FILE_H_
#define CONVOY_WORKER_DATA_POSIX_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace convoy {

// What tells one state of a file from another.
struct FileStamp {
  uint64_t size = 0;
  int64_t mtime_ns = 0;  // since 1970

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Status of a failed system call: "PATH: WHAT: No such file or directory". NotFound,
// PermissionDenied (also for read-only file systems), ResourceExhausted (disk, quota, memory,
// descriptors), otherwise Unknown.
absl::Status ErrnoStatus(const std::string& path, const char* what, int error);

// Owns one descriptor. One thread.
class PosixFile {
 public:
  // InvalidArgument: not a regular file.
  static absl::StatusOr<PosixFile> OpenForReading(const std::string& path);
  // Creates or empties `path`.
  static absl::StatusOr<PosixFile> Create(const std::string& path);
  // Creates `path` if need be and keeps what is in it.
  static absl::StatusOr<PosixFile> OpenOrCreate(const std::string& path);
  // A new file in `directory` that has no name and is gone when closed.
  static absl::StatusOr<PosixFile> CreateUnnamed(const std::string& directory);

  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&&) = delete;
  ~PosixFile();

  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

  absl::StatusOr<FileStamp> Stamp() const;
  // Fills `out`; fewer bytes only at the end of the file.
  absl::StatusOr<size_t> Read(std::span<char> out);
  absl::Status Write(std::span<const char> bytes);
  absl::Status Seek(uint64_t offset);
  // Cuts the file, or lengthens it by zeros.
  absl::Status Resize(uint64_t bytes);
  absl::Status Sync();

 private:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_;
  std::string path_;
};

// Size and modification time by name. NotFound, PermissionDenied.
absl::StatusOr<FileStamp> StampOf(const std::string& path);

// Makes renames within a folder durable.
absl::Status SyncDirectory(const std::string& path);

// A whole file in memory, read-only and shared with every process that maps it. The file must not
// be truncated while mapped (files that are replaced by rename are safe).
class MappedFile {
 public:
  static absl::StatusOr<MappedFile> Map(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  std::span<const char> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const char> bytes) : bytes_(bytes) {}

  std::span<const char> bytes_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_POSIX_FILE_H_
