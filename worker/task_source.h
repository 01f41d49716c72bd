// Where a worker's data tasks come from. While it trains on one, a thread tells the coordinator of
// the one before and asks for the one after, so that the worker does not wait for the coordinator
// between two of them.
#ifndef CONVOY_WORKER_TASK_SOURCE_H_
#define CONVOY_WORKER_TASK_SOURCE_H_

#include <cstdint>
#include <functional>
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
  // Called with a training task once the coordinator knows that it is complete, from Next and
  // TakeAhead.
  using OnKnown = std::function<void(uint64_t task)>;

  // `coordinator` outlives this.
  TaskSource(CoordinatorClient* coordinator, OnKnown on_known);
  // A question that is under way is given up, and `coordinator` is asked no other one ahead.
  ~TaskSource();

  // The worker has done `task`: the next question tells the coordinator.
  void Complete(const v1::DataTask& task) { completed_ = task; }
  // As CoordinatorClient::NextTask. The worker has begun no task; nothing was asked ahead.
  absl::StatusOr<v1::NextTaskReply> Next(bool wait);
  // The worker begins with a task that it holds: the training task to come after that one is asked
  // for. TakeAhead must follow.
  void AskAhead();
  // Waits for the answer. nullopt: there is none yet, or no more; Next tells.
  absl::StatusOr<std::optional<v1::DataTask>> TakeAhead();

 private:
  void Run();
  uint64_t completed() const { return completed_ ? completed_->id() : 0; }
  void CompletedIsKnown();

  CoordinatorClient* const coordinator_;
  const OnKnown on_known_;
  std::optional<v1::DataTask> completed_;  // what the coordinator does not know of
  Mutex mutex_;
  CondVar changed_;
  std::optional<uint64_t> question_ CONVOY_GUARDED_BY(mutex_);  // not asked yet
  std::optional<absl::StatusOr<v1::NextTaskReply>> answer_ CONVOY_GUARDED_BY(mutex_);
  bool stopping_ CONVOY_GUARDED_BY(mutex_) = false;
  std::thread asker_;
};

}  // namespace convoy

#endif  // CONVOY_WORKER_TASK_SOURCE_H_
