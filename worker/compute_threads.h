// The threads of a worker that compute together (cluster.threads_per_worker).
#ifndef CONVOY_WORKER_COMPUTE_THREADS_H_
#define CONVOY_WORKER_COMPUTE_THREADS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"

namespace convoy {

// The thread that calls Run is one of them; the others are kept, asleep, until the next call. One
// caller at a time.
class ComputeThreads {
 public:
  using Work = std::function<absl::Status(size_t part)>;

  // `count` >= 1. ResourceExhausted: the system gives no more threads.
  static absl::StatusOr<std::unique_ptr<ComputeThreads>> Start(size_t count);
  // Joins them.
  ~ComputeThreads();

  size_t count() const { return count_; }
  // Calls work(part) for each part < `parts` <= count(), each in a thread of its own, part 0 in the
  // calling one, and returns when all have returned. The error is that of the lowest part that has
  // one; what a part throws is Internal.
  absl::Status Run(size_t parts, const Work& work);

 private:
  explicit ComputeThreads(size_t count) : count_(count), results_(count) {}
  void Serve(size_t part);
  // Waits for a round after `seen` and returns it; 0: the end.
  uint64_t NextRound(uint64_t seen, size_t* parts, const Work** work) CONVOY_EXCLUDES(mutex_);

  const size_t count_;
  // By part: written by its thread, read by the caller when nothing runs.
  std::vector<absl::Status> results_;

  Mutex mutex_;
  CondVar begun_, done_;
  uint64_t round_ CONVOY_GUARDED_BY(mutex_) = 0;
  size_t parts_ CONVOY_GUARDED_BY(mutex_) = 0;
  const Work* work_ CONVOY_GUARDED_BY(mutex_) = nullptr;
  size_t running_ CONVOY_GUARDED_BY(mutex_) = 0;  // without the caller
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;

  std::vector<std::thread> threads_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_COMPUTE_THREADS_H_
