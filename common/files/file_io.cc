#include "common/files/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace convoy {

absl::Status ErrnoError(std::string_view what, const std::string& path) {
  const int error = errno;
  return absl::ErrnoToStatus(
      error, absl::StrCat(absl::string_view(what.data(), what.size()), " \"", path, "\""));
}

absl::Status SystemError(const std::error_code& error, std::string_view what,
                         const std::string& path) {
  errno = error.value();
  return ErrnoError(what, path);
}

absl::StatusOr<OwnedFd> OpenForReading(const std::string& path) {
  // O_NONBLOCK: opening a FIFO returns at once and is refused below.
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoError("cannot open", path);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return ErrnoError("cannot examine", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" is not a regular file"));
  }
  return fd;
}

absl::StatusOr<uint64_t> FileSize(const OwnedFd& fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return ErrnoError("cannot examine", path);
  return static_cast<uint64_t>(info.st_size);
}

absl::Status WriteAll(const OwnedFd& fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd.get(), data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("cannot write to", path);
    data.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteAllAt(const OwnedFd& fd, uint64_t offset, std::string_view data,
                        const std::string& path) {
  while (!data.empty()) {
    const ssize_t written =
        ::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("cannot write to", path);
    data.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status ReadExactlyAt(const OwnedFd& fd, uint64_t offset, void* data, size_t size,
                           const std::string& path) {
  char* to = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::pread(fd.get(), to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read", path);
    if (got == 0) {
      return absl::DataLossError(
          absl::StrCat("\"", path, "\" ends at byte ", offset, ", want ", size, " bytes more"));
    }
    to += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t max_bytes) {
  CONVOY_ASSIGN_OR_RETURN(const OwnedFd fd, OpenForReading(path));
  CONVOY_ASSIGN_OR_RETURN(const uint64_t size, FileSize(fd, path));
  if (size > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" has ", size, " bytes, want at most ", max_bytes));
  }
  std::string contents(size, '\0');
  CONVOY_RETURN_IF_ERROR(ReadExactlyAt(fd, 0, contents.data(), size, path));
  return contents;
}

}  // namespace convoy
