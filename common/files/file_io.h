// Whole reads and writes over file descriptors: short transfers and EINTR are dealt with here.
// Errors carry the operation, the path and the system's reason.
#ifndef CONVOY_COMMON_FILES_FILE_IO_H_
#define CONVOY_COMMON_FILES_FILE_IO_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"

namespace convoy {

// The error of the system call that just failed, e.g. `cannot open "a/b": No such file or
// directory` (NotFound). `what`: "cannot open".
absl::Status ErrnoError(std::string_view what, const std::string& path);

// The same of an error that std::filesystem gave.
absl::Status SystemError(const std::error_code& error, std::string_view what,
                         const std::string& path);

// Opens for reading. InvalidArgument if `path` is not a regular file.
absl::StatusOr<OwnedFd> OpenForReading(const std::string& path);
absl::StatusOr<uint64_t> FileSize(const OwnedFd& fd, const std::string& path);

// Appends all of `data` at the descriptor's position. `path` is for messages.
absl::Status WriteAll(const OwnedFd& fd, std::string_view data, const std::string& path);
// Writes all of `data` from byte `offset` on. Several threads may write at once.
absl::Status WriteAllAt(const OwnedFd& fd, uint64_t offset, std::string_view data,
                        const std::string& path);
// Reads exactly `size` bytes from byte `offset` on. DataLoss if the file ends before.
absl::Status ReadExactlyAt(const OwnedFd& fd, uint64_t offset, void* data, size_t size,
                           const std::string& path);

// The whole file. InvalidArgument if it is larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t max_bytes = 64 << 20);

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_FILE_IO_H_
