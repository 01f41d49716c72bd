#include "launcher/commands/compare/compare_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

absl::Status CheckRunsAreOfAComparison(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder + "/runs", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code none;
    if (!entry->is_directory(none)) continue;
    const std::string path = entry->path().string();
    if (std::filesystem::exists(path + ".textproto", none)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not of a comparison: there is no ", path,
                     ".textproto; choose another folder with --out"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OwnedFd> OpenCompareFolder(const std::string& folder) {
  CONVOY_RETURN_IF_ERROR(CheckRunsAreOfAComparison(folder));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::PermissionDeniedError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  }
  const std::string path = folder + "/lock";
  OwnedFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock.valid()) return ErrnoError("cannot open lock file", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto pid = ReadFile(path);
    return absl::FailedPreconditionError(absl::StrCat(
        "another comparison",
        pid.ok() ? absl::StrCat(" (pid ", absl::StripAsciiWhitespace(*pid), ")") : "",
        " is at work in ", folder, "; wait for it, or choose another folder with --out"));
  }
  if (::ftruncate(lock.get(), 0) != 0) return ErrnoError("cannot write to", path);
  CONVOY_RETURN_IF_ERROR(WriteAll(lock, absl::StrCat(::getpid(), "\n"), path));
  return lock;
}

}  // namespace convoy
