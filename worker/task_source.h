// Where a worker's data tasks come from. While it trains on one, a thread tells the coordinator of
// the one before and asks for the one after, so that the worker does not wait for the coordinator
// between two of them.
#ifndef CONVOY_WORKER_TASK_SOURCE_H_
#define CONVOY_WORKER_TASK_SOURCE_H_

#include <cstdint>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// One thread at a time.
class TaskSource {
 public:
  // `coordinator` outlives this.
  explicit TaskSource(CoordinatorClient* coordinator);
  // A question that is under way is given up, and `coordinator` is asked no other one ahead.
  ~TaskSource();

  // As CoordinatorClient::NextTask. The worker has begun no task; nothing was asked ahead.
  absl::StatusOr<v1::NextTaskReply> Next(uint64_t completed, bool wait) {
    return coordinator_->NextTask(completed, wait);
  }
  // The worker begins with a task that it holds: `completed` (0: nothing) is complete, and the
  // training task to come after the one that begins is asked for. TakeAhead must follow.
  void AskAhead(uint64_t completed);
  // Waits for the answer; the coordinator knows of `completed` then. nullopt: there is none yet, or
  // no more; Next tells.
  absl::StatusOr<std::optional<v1::DataTask>> TakeAhead();

 private:
  void Run();

  CoordinatorClient* const coordinator_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<uint64_t> question_ CONVOY_GUARDED_BY(mutex_);  // not asked yet
  std::optional<absl::StatusOr<v1::NextTaskReply>> answer_ CONVOY_GUARDED_BY(mutex_);
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;
  std::thread asker_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_TASK_SOURCE_H_
