#include "common/files/atomic_file.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/files/file_io.h"
#include "common/status.h"

namespace convoy {
namespace {

constexpr std::string_view kTemporary = ".tmp-";
constexpr uint64_t kWriteBack = uint64_t{16} << 20;  // bytes after which the disk is told to begin

// The process that writes a file of this name, if it is a temporary one: NAME.tmp-PID-N.
std::optional<pid_t> WriterOf(std::string_view name) {
  const size_t at = name.rfind(kTemporary);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const std::vector<std::string> numbers =
      absl::StrSplit(std::string(name.substr(at + kTemporary.size())), '-');
  int pid = 0, attempt = 0;
  const bool is_ours = numbers.size() == 2 && absl::SimpleAtoi(numbers[0], &pid) &&
                       absl::SimpleAtoi(numbers[1], &attempt) && pid > 0;
  return is_ours ? std::optional<pid_t>(pid) : std::nullopt;
}

// In a container another process may have had the number of this one.
bool IsAnother(pid_t process) {
  return process != ::getpid() && (::kill(process, 0) == 0 || errno != ESRCH);
}

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string temporary_path, OwnedFd fd)
    : path_(std::move(path)),
      temporary_path_(std::move(temporary_path)),
      fd_(std::move(fd)),
      front_(std::in_place, fd_, temporary_path_) {}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(std::string path) {
  // A name that is taken belongs to another writer, or was left by a killed process.
  for (int attempt = 0;; ++attempt) {
    std::string temporary = absl::StrCat(path, std::string(kTemporary), ::getpid(), "-", attempt);
    OwnedFd fd(::open(temporary.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666));
    if (fd.valid()) {
      return std::unique_ptr<AtomicFile>(
          new AtomicFile(std::move(path), std::move(temporary), std::move(fd)));
    }
    if (errno != EEXIST) return ErrnoError("cannot create", temporary);
  }
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_path_.c_str());
}

absl::Status AtomicFile::Resize(uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) == 0) return absl::OkStatus();
  return ErrnoError(absl::StrCat("cannot give ", size, " bytes to"), temporary_path_);
}

absl::Status AtomicFile::Append(std::string_view data) {
  const uint64_t offset = appended_;
  appended_ += data.size();
  return WriteAt(offset, data);
}

absl::Status AtomicFile::WriteAt(uint64_t offset, std::string_view data) {
  if (front_ && offset == front_->size()) return front_->Append(data);
  CONVOY_RETURN_IF_ERROR(FinishFront());
  CONVOY_RETURN_IF_ERROR(WriteAllAt(fd_, offset, data, temporary_path_));
  const uint64_t before = std::exchange(written_, written_ + data.size());
  if (before / kWriteBack != written_ / kWriteBack) {
    // Advice: what goes wrong, fsync says.
    ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::FinishFront() {
  if (!front_) return absl::OkStatus();
  const absl::Status finished = front_->Finish();
  front_.reset();
  return finished;
}

absl::Status AtomicFile::BeginCommit() {
  if (std::exchange(commit_began_, true)) {
    return absl::FailedPreconditionError(
        absl::StrCat("\"", path_, "\" was committed before, or could not be"));
  }
  return FinishFront();
}

absl::Status AtomicFile::Commit() {
  CONVOY_RETURN_IF_ERROR(BeginCommit());
  if (::fsync(fd_.get()) != 0) return ErrnoError("cannot sync", temporary_path_);
  return Publish();
}

absl::StatusOr<FileHash> AtomicFile::CommitAndHash() {
  CONVOY_ASSIGN_OR_RETURN(const uint64_t size, FileSize(fd_, temporary_path_));
  if (front_ && size <= front_->size()) {
    const FileHash hash = front_->hash();
    CONVOY_RETURN_IF_ERROR(Commit());
    return hash;
  }
  CONVOY_RETURN_IF_ERROR(BeginCommit());
  auto hashing = std::async(std::launch::async, [this] { return HashFile(temporary_path_); });
  const int synced = ::fsync(fd_.get());
  const int error = errno;
  const absl::StatusOr<FileHash> hash = hashing.get();
  errno = error;
  if (synced != 0) return ErrnoError("cannot sync", temporary_path_);
  CONVOY_RETURN_IF_ERROR(hash.status());
  CONVOY_RETURN_IF_ERROR(Publish());
  return hash;
}

absl::Status AtomicFile::Publish() {
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    return ErrnoError("cannot rename the finished file to", path_);
  }
  committed_ = true;
  return SyncFolderOf(path_);
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view contents) {
  CONVOY_ASSIGN_OR_RETURN(const auto file, AtomicFile::Create(path));
  CONVOY_RETURN_IF_ERROR(file->Append(contents));
  return file->Commit();
}

absl::Status SyncFolderOf(const std::string& path) {
  // "a/b" -> "a/.", "b" -> ".".
  const std::string folder = std::filesystem::path(path).replace_filename(".").string();
  const OwnedFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError("cannot open folder", folder);
  if (::fsync(fd.get()) != 0) return ErrnoError("cannot sync folder", folder);
  return absl::OkStatus();
}

std::vector<std::string> RemoveAbandonedFiles(const std::string& folder) {
  std::vector<std::string> abandoned;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::optional<pid_t> writer = WriterOf(name);
    if (writer && !IsAnother(*writer)) abandoned.push_back(name);
  }
  std::erase_if(abandoned, [&](const std::string& name) {
    return ::unlink(absl::StrCat(folder, "/", name).c_str()) != 0;
  });
  return abandoned;
}

}  // namespace convoy
