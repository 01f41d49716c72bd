// Makes one process of a host build a cache while the others wait.
#ifndef CONVOY_WORKER_DATA_CACHE_LOCK_H_
#define CONVOY_WORKER_DATA_CACHE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/data/activity.h"
#include "worker/data/posix_file.h"

namespace convoy {

// Holds flock(2) on a file, which names the holder and how far it is. The kernel releases the lock
// when its holder dies. The file stays. One thread.
class CacheLock {
 public:
  // Waits for another holder, who is woken for by inotify(7), and says to `activity` about once a
  // second "waiting for process 123 (reading a.libsvm, 40 %) to build the cache of WHAT".
  // DeadlineExceeded: the holder reported no progress for `silence_limit`. PermissionDenied,
  // ResourceExhausted: no lock file can be made (with advice).
  static absl::StatusOr<CacheLock> Acquire(const std::string& path, const std::string& what,
                                           const ActivityCallback& activity,
                                           absl::Duration silence_limit);

  // Tells those who wait what this process does. Never fails: it is only a message.
  void ReportProgress(const std::string& progress);

 private:
  explicit CacheLock(PosixFile file) : file_(std::move(file)) {}

  PosixFile file_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_CACHE_LOCK_H_
