#include "worker/data/cache_lock.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/status.h"
#include "worker/data/cache_writer.h"

namespace convoy {
namespace {

constexpr size_t kMaxProgressBytes = 512;
constexpr absl::Duration kActivityInterval = absl::Seconds(1);

// Wakes when a process closes the file, as the holder of a lock does at the latest when it dies. If
// the kernel has no more watches there are only the timeouts.
class CloseWatch {
 public:
  explicit CloseWatch(const std::string& path)
      : descriptor_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (descriptor_ >= 0) ::inotify_add_watch(descriptor_, path.c_str(), IN_CLOSE);
  }
  ~CloseWatch() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  CloseWatch(const CloseWatch&) = delete;
  CloseWatch& operator=(const CloseWatch&) = delete;

  void Wait(absl::Duration timeout) {
    pollfd event = {descriptor_, POLLIN, 0};
    if (::poll(&event, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) <= 0) return;
    char events[4096];
    while (::read(descriptor_, events, sizeof(events)) > 0) {
    }
  }

 private:
  const int descriptor_;
};

// What the holder reported last.
std::string Holder(const PosixFile& file) {
  std::string text(kMaxProgressBytes, '\0');
  const ssize_t got = ::pread(file.descriptor(), text.data(), text.size(), 0);
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return text.empty() ? "another process" : text;
}

absl::Status Stuck(const std::string& path, const std::string& what, const std::string& holder,
                   absl::Duration silence_limit) {
  return absl::DeadlineExceededError(
      absl::StrCat("the cache of ", what, ": waited for ", holder, ", which holds ", path,
                   " and made no progress for ", absl::FormatDuration(silence_limit),
                   "; end that process, or set data.cache_dir to another folder"));
}

}  // namespace

absl::StatusOr<CacheLock> CacheLock::Acquire(const std::string& path, const std::string& what,
                                             const ActivityCallback& activity,
                                             absl::Duration silence_limit) {
  absl::StatusOr<PosixFile> file = PosixFile::OpenOrCreate(path);
  if (!file.ok()) return CacheNotWritable(DirectoryOf(path), file.status());
  CloseWatch watch(path);
  std::string holder;
  absl::Time silent_since = SteadyNow();
  while (::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return CacheNotWritable(DirectoryOf(path), ErrnoStatus(path, "can't lock", errno));
    }
    if (std::string now = Holder(*file); now != holder) {
      holder = std::move(now);
      silent_since = SteadyNow();
    } else if (SteadyNow() - silent_since >= silence_limit) {
      return Stuck(path, what, holder, silence_limit);
    }
    if (activity) activity(absl::StrCat("waiting for ", holder, " to build the cache of ", what));
    watch.Wait(std::min(kActivityInterval, silence_limit));
  }
  CacheLock lock(*std::move(file));
  lock.ReportProgress("starting");
  return lock;
}

void CacheLock::ReportProgress(const std::string& progress) {
  const std::string text =
      absl::StrCat("process ", ::getpid(), " (", progress, ")").substr(0, kMaxProgressBytes);
  if (::pwrite(file_.descriptor(), text.data(), text.size(), 0) ==
      static_cast<ssize_t>(text.size())) {
    file_.Resize(text.size()).IgnoreError();
  }
}

}  // namespace convoy
