#include "worker/task_source.h"

#include <pthread.h>

#include <utility>

#include "common/status.h"

namespace convoy {

TaskSource::TaskSource(CoordinatorClient* coordinator, OnKnown on_known)
    : coordinator_(coordinator), on_known_(std::move(on_known)), asker_([this] { Run(); }) {
  pthread_setname_np(asker_.native_handle(), "tasks");
}

TaskSource::~TaskSource() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  coordinator_->CancelTaskAhead();
  asker_.join();
}

absl::StatusOr<v1::NextTaskReply> TaskSource::Next(bool wait) {
  CONVOY_ASSIGN_OR_RETURN(v1::NextTaskReply reply, coordinator_->NextTask(completed(), wait));
  CompletedIsKnown();
  return reply;
}

void TaskSource::AskAhead() {
  {
    MutexLock lock(mutex_);
    question_ = completed();
  }
  changed_.NotifyAll();
}

absl::StatusOr<std::optional<v1::DataTask>> TaskSource::TakeAhead() {
  std::optional<absl::StatusOr<v1::NextTaskReply>> answer;
  {
    MutexLock lock(mutex_);
    while (!answer_) changed_.Wait(mutex_);
    answer.swap(answer_);
  }
  CONVOY_ASSIGN_OR_RETURN(const v1::NextTaskReply reply, *std::move(answer));
  CompletedIsKnown();
  if (!reply.has_task()) return std::nullopt;
  return reply.task();
}

// It is not handed out again, and servers need not remember it.
void TaskSource::CompletedIsKnown() {
  const std::optional<v1::DataTask> known = std::exchange(completed_, std::nullopt);
  if (known && !known->validation()) on_known_(known->id());
}

void TaskSource::Run() {
  for (;;) {
    uint64_t completed = 0;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !question_) changed_.Wait(mutex_);
      if (stopping_) return;
      completed = *std::exchange(question_, std::nullopt);
    }
    absl::StatusOr<v1::NextTaskReply> answer = coordinator_->TaskAhead(completed);
    {
      MutexLock lock(mutex_);
      answer_ = std::move(answer);
    }
    changed_.NotifyAll();
  }
}

}  // namespace convoy
