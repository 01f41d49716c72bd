#include "worker/data/posix_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr mode_t kFileMode = 0644;

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kUnknown;
  }
}

FileStamp StampFrom(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

}  // namespace

absl::Status ErrnoStatus(const std::string& path, const char* what, int error) {
  return absl::Status(CodeOf(error), absl::StrCat(path, ": ", what, ": ", std::strerror(error)));
}

absl::StatusOr<PosixFile> PosixFile::OpenForReading(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return ErrnoStatus(path, "can't open", errno);
  PosixFile file(descriptor, path);
  struct stat info = {};
  if (::fstat(descriptor, &info) != 0) return ErrnoStatus(path, "can't stat", errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is a ", S_ISDIR(info.st_mode) ? "directory" : "special file",
                     ", want a regular file"));
  }
  return file;
}

absl::StatusOr<PosixFile> PosixFile::Create(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(PosixFile file, OpenOrCreate(path));
  CONVOY_RETURN_IF_ERROR(file.Resize(0));
  return file;
}

absl::StatusOr<PosixFile> PosixFile::OpenOrCreate(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return ErrnoStatus(path, "can't create", errno);
  return PosixFile(descriptor, path);
}

absl::StatusOr<PosixFile> PosixFile::CreateUnnamed(const std::string& directory) {
  std::string name = directory + "/spool-XXXXXX";
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return ErrnoStatus(directory, "can't create a file in it", errno);
  ::unlink(name.c_str());
  return PosixFile(descriptor, name);
}

PosixFile::PosixFile(PosixFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::StatusOr<FileStamp> PosixFile::Stamp() const {
  struct stat info = {};
  if (::fstat(descriptor_, &info) != 0) return ErrnoStatus(path_, "can't stat", errno);
  return StampFrom(info);
}

absl::StatusOr<size_t> PosixFile::Read(std::span<char> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::read(descriptor_, out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(path_, "can't read", errno);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  return filled;
}

absl::Status PosixFile::Write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(path_, "can't write", errno);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::Status PosixFile::Seek(uint64_t offset) {
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) {
    return ErrnoStatus(path_, "can't seek", errno);
  }
  return absl::OkStatus();
}

absl::Status PosixFile::Resize(uint64_t bytes) {
  return ::ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0
             ? absl::OkStatus()
             : ErrnoStatus(path_, "can't resize", errno);
}

absl::Status PosixFile::Sync() {
  return ::fsync(descriptor_) == 0 ? absl::OkStatus() : ErrnoStatus(path_, "can't sync", errno);
}

absl::StatusOr<FileStamp> StampOf(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(const PosixFile file, PosixFile::OpenForReading(path));
  return file.Stamp();
}

absl::Status SyncDirectory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return ErrnoStatus(path, "can't open", errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  return result == 0 ? absl::OkStatus() : ErrnoStatus(path, "can't sync", error);
}

absl::StatusOr<MappedFile> MappedFile::Map(const std::string& path) {
  CONVOY_ASSIGN_OR_RETURN(const PosixFile file, PosixFile::OpenForReading(path));
  CONVOY_ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  if (stamp.size == 0) return MappedFile({});
  void* const address = ::mmap(nullptr, stamp.size, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) return ErrnoStatus(path, "can't map", errno);
  return MappedFile({static_cast<const char*>(address), stamp.size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace convoy
