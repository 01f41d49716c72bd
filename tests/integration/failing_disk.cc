// Preloaded into a program: one of its calls on files fails or is slow (failing_disk.h).
#include "tests/integration/failing_disk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using ::convoy::testing::FailingDisk;

// Not CONVOY_...: a launcher does not pass those on.
constexpr char kPathVariable[] = "FAILING_DISK";
constexpr size_t kLineBytes = 2 * FailingDisk::kTextBytes;

int RawOpen(int folder, const char* path, int flags, mode_t mode) {
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}

FailingDisk* Disk() {
  static FailingDisk* const disk = []() -> FailingDisk* {
    const char* const path = std::getenv(kPathVariable);
    const int fd = path == nullptr ? -1 : RawOpen(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return nullptr;
    const auto mapped = ::syscall(SYS_mmap, nullptr, sizeof(FailingDisk), PROT_READ | PROT_WRITE,
                                  MAP_SHARED, fd, 0);
    ::syscall(SYS_close, fd);
    return mapped == -1 ? nullptr : reinterpret_cast<FailingDisk*>(mapped);
  }();
  return disk;
}

// Appends `line` in one write, so that those of several processes stay whole.
void Record(const char* line) {
  char path[FailingDisk::kTextBytes];
  std::snprintf(path, sizeof(path), "%s.calls", std::getenv(kPathVariable));
  const int fd = RawOpen(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  [[maybe_unused]] const auto put = ::syscall(SYS_write, fd, line, std::strlen(line));
  ::syscall(SYS_close, fd);
}

// "FUNCTION PATH" with "#" for what differs from process to process: numbers, in hexadecimal too,
// and what mkstemp chose for "spool-XXXXXX".
void NameCall(const char* function, const char* path, char* to) {
  constexpr char kSpool[] = "spool-";
  const int bytes = std::snprintf(to, kLineBytes / 2, "%s ", function);
  char* const end = to + kLineBytes - 2;
  to += bytes;
  while (*path != '\0' && to < end) {
    if (std::strncmp(path, kSpool, std::strlen(kSpool)) == 0) {
      to = std::strcpy(to, "spool-#") + std::strlen("spool-#");
      path += std::strlen("spool-XXXXXX");
      continue;
    }
    const size_t hex = std::strspn(path, "0123456789abcdef");
    const bool number = std::strcspn(path, "0123456789") < hex;
    if (number) *to++ = '#';
    for (size_t i = 0; !number && i < hex && to < end; ++i) *to++ = path[i];
    path += hex;
    if (hex == 0) *to++ = *path++;
  }
  *to = '\0';
}

// Whether this call is the one that fails; errno says so then. `path`: absolute.
bool FailsAt(const char* function, const char* path) {
  FailingDisk* const disk = Disk();
  if (disk == nullptr) return false;
  const size_t folder = std::strlen(disk->folder);
  if (std::strncmp(path, disk->folder, folder) != 0 || path[folder] != '/') return false;
  const int before = errno;
  char call[kLineBytes];
  NameCall(function, path + folder + 1, call);
  if (disk->call[0] == '\0') {
    Record(std::strcat(call, "\n"));
    errno = before;
    return false;
  }
  if (std::strcmp(call, disk->call) != 0 || ++disk->seen != disk->at) return false;
  const timespec pause = {static_cast<time_t>(disk->pause_ms / 1000),
                          static_cast<long>(disk->pause_ms % 1000 * 1'000'000)};
  ::nanosleep(&pause, nullptr);
  disk->failed = true;
  errno = disk->error != 0 ? disk->error : before;
  return disk->error != 0;
}

bool FailsOn(const char* function, int fd) {
  if (Disk() == nullptr) return false;
  const int before = errno;
  char link[64], path[kLineBytes];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const auto bytes = ::syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
  errno = before;
  if (bytes <= 0 || path[0] != '/') return false;
  path[bytes] = '\0';
  return FailsAt(function, path);
}

// `path` may be relative to `folder`.
bool FailsIn(const char* function, int folder, const char* path) {
  if (Disk() == nullptr || path == nullptr || path[0] == '\0') return false;
  if (path[0] == '/') return FailsAt(function, path);
  const int before = errno;
  char link[64], whole[kLineBytes];
  if (folder == AT_FDCWD) {
    std::snprintf(link, sizeof(link), "/proc/self/cwd");
  } else {
    std::snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
  }
  const auto bytes = ::syscall(SYS_readlinkat, AT_FDCWD, link, whole, sizeof(whole) - 1);
  errno = before;
  if (bytes <= 0) return false;
  std::snprintf(whole + bytes, sizeof(whole) - static_cast<size_t>(bytes), "/%s", path);
  return FailsAt(function, whole);
}

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int OpenAt(int folder, const char* path, int flags, mode_t mode) {
  const char* const function = (flags & O_DIRECTORY) != 0 ? "open-folder"
                               : (flags & O_CREAT) != 0   ? "create"
                                                          : "open";
  return FailsIn(function, folder, path) ? -1 : RawOpen(folder, path, flags, mode);
}

std::FILE* OpenStream(const char* name, const char* path, const char* mode) {
  using Open = std::FILE*(const char*, const char*);
  return FailsIn("fopen", AT_FDCWD, path) ? nullptr : Next<Open>(name)(path, mode);
}

// The optional last argument of open.
mode_t ModeOf(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

#define OPEN_FUNCTION(name)                       \
  int name(const char* path, int flags, ...) {    \
    va_list arguments;                            \
    va_start(arguments, flags);                   \
    const mode_t mode = ModeOf(flags, arguments); \
    va_end(arguments);                            \
    return OpenAt(AT_FDCWD, path, flags, mode);   \
  }
#define OPENAT_FUNCTION(name)                              \
  int name(int folder, const char* path, int flags, ...) { \
    va_list arguments;                                     \
    va_start(arguments, flags);                            \
    const mode_t mode = ModeOf(flags, arguments);          \
    va_end(arguments);                                     \
    return OpenAt(folder, path, flags, mode);              \
  }

extern "C" {

OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)
OPENAT_FUNCTION(openat)
OPENAT_FUNCTION(openat64)

std::FILE* fopen(const char* path, const char* mode) { return OpenStream("fopen", path, mode); }
std::FILE* fopen64(const char* path, const char* mode) { return OpenStream("fopen64", path, mode); }

DIR* opendir(const char* path) {
  return FailsIn("opendir", AT_FDCWD, path) ? nullptr : Next<DIR*(const char*)>("opendir")(path);
}

ssize_t write(int fd, const void* data, size_t size) {
  return FailsOn("write", fd) ? -1 : ::syscall(SYS_write, fd, data, size);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return FailsOn("pwrite", fd) ? -1 : ::syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return ::pwrite(fd, data, size, at);
}
ssize_t read(int fd, void* data, size_t size) {
  return FailsOn("read", fd) ? -1 : ::syscall(SYS_read, fd, data, size);
}
ssize_t pread(int fd, void* data, size_t size, off_t at) {
  return FailsOn("pread", fd) ? -1 : ::syscall(SYS_pread64, fd, data, size, at);
}
ssize_t pread64(int fd, void* data, size_t size, off64_t at) { return ::pread(fd, data, size, at); }

int fsync(int fd) { return FailsOn("fsync", fd) ? -1 : static_cast<int>(::syscall(SYS_fsync, fd)); }
int fdatasync(int fd) {
  return FailsOn("fdatasync", fd) ? -1 : static_cast<int>(::syscall(SYS_fdatasync, fd));
}
int ftruncate(int fd, off_t size) noexcept {
  return FailsOn("ftruncate", fd) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int ftruncate64(int fd, off64_t size) noexcept { return ::ftruncate(fd, size); }

// As on Linux, the descriptor is closed all the same.
int close(int fd) {
  const bool fails = FailsOn("close", fd);
  const int error = errno;
  const int result = static_cast<int>(::syscall(SYS_close, fd));
  if (!fails) return result;
  errno = error;
  return -1;
}

int stat(const char* path, struct stat* info) noexcept {
  using Stat = int(const char*, struct stat*);
  return FailsIn("stat", AT_FDCWD, path) ? -1 : Next<Stat>("stat")(path, info);
}
int fstat(int fd, struct stat* info) noexcept {
  return FailsOn("fstat", fd) ? -1 : Next<int(int, struct stat*)>("fstat")(fd, info);
}

int rename(const char* from, const char* to) noexcept {
  if (FailsIn("rename", AT_FDCWD, to)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  if (FailsIn("renameat2", to_folder, to)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (FailsIn("mkdir", AT_FDCWD, path)) return -1;
  return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  if (FailsIn("unlink", folder, path)) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
}
int unlink(const char* path) noexcept { return ::unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) noexcept { return ::unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) noexcept {
  const int removed = ::unlink(path);
  return removed != 0 && errno == EISDIR ? ::rmdir(path) : removed;
}

void* mmap(void* where, size_t size, int protection, int flags, int fd, off_t at) noexcept {
  if (fd >= 0 && FailsOn("mmap", fd)) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, where, size, protection, flags, fd, at));
}
void* mmap64(void* where, size_t size, int protection, int flags, int fd, off64_t at) noexcept {
  return ::mmap(where, size, protection, flags, fd, at);
}

}  // extern "C"
