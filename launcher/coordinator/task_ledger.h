// Who works on which piece of the data in the modes async and ssp. Every task of training and
// validation is handed out once and completed once.
//
// A worker holds at most two tasks, the second one to be begun when the first one is complete.
// Requests may be repeated: what a worker holds is handed to it again, and a completion that is
// already known changes nothing.
#ifndef CONVOY_LAUNCHER_COORDINATOR_TASK_LEDGER_H_
#define CONVOY_LAUNCHER_COORDINATOR_TASK_LEDGER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "common/interval_set.h"
#include "launcher/coordinator/training_plan.h"
#include "proto/coordinator.pb.h"

namespace convoy {

// Ids of validation tasks have this bit: kValidationTask + epoch * slices + part + 1.
inline constexpr uint64_t kValidationTask = uint64_t{1} << 62;
// Ids of the test's tasks have this one: kTestTask + part + 1.
inline constexpr uint64_t kTestTask = uint64_t{1} << 61;

// Training tasks are handed out in the order of their ids. When an epoch that is to be measured is
// complete, its validation tasks come first, while the next epoch goes on; the validation after the
// last epoch, and the test, begin when all training is complete, so that the weights are final.
// With max_steps the last task is cut short, so that exactly so many batches are handed out.
class TaskLedger {
 public:
  // `completed`: ids of training tasks that are complete already.
  TaskLedger(const TrainingPlan& plan, uint32_t workers, IntervalSet completed = {});

  // The task that `worker` holds, or the next one, which it then holds; nullopt: none now (or
  // Done).
  std::optional<v1::DataTask> Next(uint32_t worker);
  // The training task after the one that `worker` holds, which it then holds, too; nullopt: none
  // now, because something is to be measured first, or because the others might have done all that
  // is left by the time that it has done the first one.
  std::optional<v1::DataTask> NextAhead(uint32_t worker);
  // `task`: what the worker says it has completed; 0: nothing.
  // FailedPrecondition: that is not the task that it holds, or the first of two.
  absl::Status Complete(uint32_t worker, uint64_t task);
  // There are so many workers now, of whom none holds a task: what those before held is handed out
  // again, first.
  void Divide(uint32_t workers);
  // The training task that `worker` completed last; 0: none.
  uint64_t LastTrained(uint32_t worker) const { return holders_[worker].last_trained; }
  // Steps of the training tasks that it completed.
  uint64_t StepsOf(uint32_t worker) const { return holders_[worker].steps; }
  // Whether a report may speak of the task.
  // InvalidArgument: there is no such task of that kind and epoch, or it was not handed out.
  absl::Status CheckReport(v1::ReportRequest::Kind kind, uint64_t task, uint64_t epoch) const;

  // Every task is complete, those of the validation after the last epoch and of the test too.
  bool Done() const;
  // Training tasks that are not complete.
  uint64_t remaining() const { return total_ - completed_; }
  // Ids of complete training tasks.
  const IntervalSet& completed() const { return done_; }
  // What they are together.
  struct Amount {
    uint64_t steps = 0;
    uint64_t examples = 0;
  };
  Amount CompletedAmount() const;

 private:
  struct Holder {
    std::deque<v1::DataTask> held;
    uint64_t last_completed = 0;
    uint64_t last_trained = 0;
    uint64_t steps = 0;
    uint64_t trained = 0;  // training tasks, since the workers were divided
  };

  v1::DataTask TrainingTask(uint64_t index) const;
  v1::DataTask ValidationTask(uint64_t epoch, uint64_t part) const;
  v1::DataTask TestTask(uint64_t part) const;
  std::optional<v1::DataTask> TakeNew();
  // Training tasks that nobody holds and that are not complete.
  uint64_t Free() const;
  // Training tasks that all workers together complete while this one completes one.
  uint64_t WhileOneOf(const Holder& holder) const;
  void TrainingTaskCompleted(const v1::DataTask& task);
  void Resume(IntervalSet completed);
  void QueueValidation(uint64_t epoch);
  void QueueTest();
  // Of a task that was handed out for `kind`; nullopt: there is no such task.
  std::optional<uint64_t> EpochOf(v1::ReportRequest::Kind kind, uint64_t task) const;

  const TrainingPlan plan_;
  const uint64_t per_epoch_;                         // tasks
  const uint64_t total_;                             // training tasks of the job
  std::vector<Holder> holders_;                      // by worker
  uint64_t next_ = 0;                                // index of the next training task to hand out
  IntervalSet done_;                                 // ids of complete training tasks
  uint64_t completed_ = 0;                           // training tasks
  std::map<uint64_t, uint64_t> completed_in_epoch_;  // epochs that have begun and are not complete
  std::deque<v1::DataTask> returned_;                // training tasks to hand out again
  std::deque<v1::DataTask> validation_;              // and test: to hand out
  uint64_t open_validation_ = 0;                     // queued or held
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_TASK_LEDGER_H_
