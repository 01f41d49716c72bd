#include "launcher/coordinator/task_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

uint64_t CountTasks(const TrainingPlan& plan) {
  const uint64_t per_epoch = plan.tasks().tasks_per_epoch();
  const uint64_t steps = plan.TotalSteps(), steps_per_epoch = plan.StepsPerEpoch();
  const uint64_t rest = steps % steps_per_epoch;
  return steps / steps_per_epoch * per_epoch +
         (rest + plan.batches_per_task - 1) / plan.batches_per_task;
}

}  // namespace

TaskLedger::TaskLedger(const TrainingPlan& plan, uint32_t workers, IntervalSet completed)
    : plan_(plan),
      per_epoch_(plan.tasks().tasks_per_epoch()),
      total_(CountTasks(plan)),
      holders_(workers) {
  Resume(std::move(completed));
}

// What was measured after an epoch is not measured again, but for the last one.
void TaskLedger::Resume(IntervalSet completed) {
  done_ = std::move(completed);
  for (const auto& [begin, end] : done_.all()) {
    for (uint64_t id = begin; id < std::min(end, total_ + 1); ++id) {
      ++completed_;
      ++completed_in_epoch_[(id - 1) / per_epoch_];
    }
  }
  std::erase_if(completed_in_epoch_, [this](const auto& e) { return e.second == per_epoch_; });
  if (completed_ < total_ || completed_ == 0) return;
  QueueValidation((total_ - 1) / per_epoch_);
  QueueTest();
}

TaskLedger::Amount TaskLedger::CompletedAmount() const {
  Amount amount;
  for (const auto& [begin, end] : done_.all()) {
    for (uint64_t id = begin; id < std::min(end, total_ + 1); ++id) {
      const v1::DataTask task = TrainingTask(id - 1);
      const uint64_t size = task.end() - task.begin();
      amount.examples += size;
      amount.steps += (size + plan_.batch - 1) / plan_.batch;
    }
  }
  return amount;
}

v1::DataTask TaskLedger::TrainingTask(uint64_t index) const {
  const TaskRange range = TaskAt(plan_.tasks(), index / per_epoch_, index % per_epoch_);
  const uint64_t steps_before =
      range.epoch * plan_.StepsPerEpoch() + index % per_epoch_ * plan_.batches_per_task;
  const uint64_t allowed =
      std::min(plan_.TotalSteps() - steps_before, plan_.batches_per_task) * plan_.batch;
  v1::DataTask task;
  task.set_id(range.id);
  task.set_epoch(static_cast<uint32_t>(range.epoch));
  task.set_begin(range.positions.begin);
  task.set_end(std::min(range.positions.end, range.positions.begin + allowed));
  return task;
}

v1::DataTask TaskLedger::ValidationTask(uint64_t epoch, uint64_t part) const {
  const Range range = SliceRange(part, plan_.ValidationTasks(), plan_.validation_examples);
  v1::DataTask task;
  task.set_id(kValidationTask + epoch * plan_.slices + part + 1);
  task.set_epoch(static_cast<uint32_t>(epoch));
  task.set_begin(range.begin);
  task.set_end(range.end);
  task.set_validation(true);
  return task;
}

v1::DataTask TaskLedger::TestTask(uint64_t part) const {
  const Range range = SliceRange(part, plan_.TestTasks(), plan_.test_examples);
  v1::DataTask task;
  task.set_id(kTestTask + part + 1);
  task.set_epoch(static_cast<uint32_t>((total_ - 1) / per_epoch_));
  task.set_begin(range.begin);
  task.set_end(range.end);
  task.set_validation(true);
  task.set_test(true);
  return task;
}

std::optional<v1::DataTask> TaskLedger::Next(uint32_t worker) {
  std::deque<v1::DataTask>& held = holders_[worker].held;
  if (held.empty()) {
    std::optional<v1::DataTask> task = TakeNew();
    if (!task) return std::nullopt;
    held.push_back(*std::move(task));
  }
  return held.front();
}

std::optional<v1::DataTask> TaskLedger::NextAhead(uint32_t worker) {
  Holder& holder = holders_[worker];
  std::deque<v1::DataTask>& held = holder.held;
  if (held.empty()) return std::nullopt;
  if (held.size() == 1) {
    if (!validation_.empty() || Free() < WhileOneOf(holder)) return std::nullopt;
    held.push_back(*TakeNew());
  }
  return held.back();
}

uint64_t TaskLedger::Free() const {
  uint64_t held = 0;
  for (const Holder& holder : holders_) {
    held += static_cast<uint64_t>(std::ranges::count_if(
        holder.held, [](const v1::DataTask& task) { return !task.validation(); }));
  }
  return total_ - completed_ - held;
}

uint64_t TaskLedger::WhileOneOf(const Holder& holder) const {
  uint64_t all = 0;
  for (const Holder& other : holders_) all += other.trained;
  const uint64_t own = std::max<uint64_t>(holder.trained, 1);
  return std::max<uint64_t>(holders_.size(), (all + own - 1) / own);
}

std::optional<v1::DataTask> TaskLedger::TakeNew() {
  if (!validation_.empty()) {
    const v1::DataTask task = validation_.front();
    validation_.pop_front();
    return task;
  }
  if (!returned_.empty()) {
    const v1::DataTask task = returned_.front();
    returned_.pop_front();
    return task;
  }
  while (next_ < total_ && done_.Contains(next_ + 1)) ++next_;
  if (next_ < total_) return TrainingTask(next_++);
  return std::nullopt;
}

void TaskLedger::Divide(uint32_t workers) {
  std::vector<Holder> before(workers);
  before.swap(holders_);
  for (const Holder& holder : before) {
    holders_[0].steps += holder.steps;
    for (const v1::DataTask& task : holder.held) {
      (task.validation() ? validation_ : returned_).push_back(task);
    }
  }
  std::ranges::sort(returned_, {}, [](const v1::DataTask& task) { return task.id(); });
}

absl::Status TaskLedger::Complete(uint32_t worker, uint64_t task) {
  Holder& holder = holders_[worker];
  if (task == 0 || task == holder.last_completed) return absl::OkStatus();
  if (holder.held.empty() || holder.held.front().id() != task) {
    return absl::FailedPreconditionError(absl::StrCat(
        "worker ", worker, " says that it completed task ", task, ", but it holds ",
        holder.held.empty() ? "none" : absl::StrCat("task ", holder.held.front().id())));
  }
  const v1::DataTask done = holder.held.front();
  holder.held.pop_front();
  holder.last_completed = task;
  if (done.validation()) {
    --open_validation_;
  } else {
    holder.last_trained = task;
    ++holder.trained;
    holder.steps += (done.end() - done.begin() + plan_.batch - 1) / plan_.batch;
    TrainingTaskCompleted(done);
  }
  return absl::OkStatus();
}

void TaskLedger::TrainingTaskCompleted(const v1::DataTask& task) {
  const uint64_t epoch = task.epoch();
  done_.Add(task.id(), task.id() + 1);
  const uint64_t last_epoch = (total_ - 1) / per_epoch_;
  ++completed_;
  if (++completed_in_epoch_[epoch] == per_epoch_) {
    completed_in_epoch_.erase(epoch);
    const uint64_t every = plan_.validate_every_epochs;
    if (epoch != last_epoch && every > 0 && (epoch + 1) % every == 0) QueueValidation(epoch);
  }
  if (completed_ == total_) {
    QueueValidation(last_epoch);
    QueueTest();
  }
}

void TaskLedger::QueueValidation(uint64_t epoch) {
  for (uint64_t part = 0; part < plan_.ValidationTasks(); ++part) {
    validation_.push_back(ValidationTask(epoch, part));
    ++open_validation_;
  }
}

void TaskLedger::QueueTest() {
  for (uint64_t part = 0; part < plan_.TestTasks(); ++part) {
    validation_.push_back(TestTask(part));
    ++open_validation_;
  }
}

absl::Status TaskLedger::CheckReport(v1::ReportRequest::Kind kind, uint64_t task,
                                     uint64_t epoch) const {
  const char* const what = kind == v1::ReportRequest::TRAIN  ? "training"
                           : kind == v1::ReportRequest::TEST ? "test"
                                                             : "validation";
  const std::optional<uint64_t> want = EpochOf(kind, task);
  if (!want) {
    return absl::InvalidArgumentError(absl::StrCat("report on ", what, " task ", task,
                                                   ": no such task was handed out for ", what));
  }
  if (*want == epoch) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("report on task ", task, ": got epoch ", epoch, ", want ", *want));
}

std::optional<uint64_t> TaskLedger::EpochOf(v1::ReportRequest::Kind kind, uint64_t task) const {
  const uint64_t flags = task & (kValidationTask | kTestTask);
  const uint64_t index = (task & ~flags) - 1;
  const uint64_t last_epoch = (total_ - 1) / per_epoch_;
  // Those of a job that goes on are not handed out again.
  const uint64_t handed_out =
      std::max(next_, done_.all().empty() ? 0 : std::min(done_.all().rbegin()->second - 1, total_));
  const uint64_t epochs_begun = (handed_out + per_epoch_ - 1) / per_epoch_;
  switch (kind) {
    case v1::ReportRequest::TRAIN:
      if (flags != 0 || index >= next_) return std::nullopt;
      return index / per_epoch_;
    case v1::ReportRequest::VALIDATION:
    case v1::ReportRequest::VALIDATION_OLD:
      if (flags != kValidationTask || index / plan_.slices >= epochs_begun) return std::nullopt;
      if (index % plan_.slices >= plan_.ValidationTasks()) return std::nullopt;
      return index / plan_.slices;
    case v1::ReportRequest::TEST:
      if (flags != kTestTask || index >= plan_.TestTasks()) return std::nullopt;
      if (completed_ < total_) return std::nullopt;
      return last_epoch;
    default:
      return std::nullopt;
  }
}

bool TaskLedger::Done() const { return completed_ == total_ && open_validation_ == 0; }

}  // namespace convoy
