#include "worker/task_source.h"

#include <pthread.h>

#include <utility>

namespace convoy {

TaskSource::TaskSource(CoordinatorClient* coordinator)
    : coordinator_(coordinator), asker_([this] { Run(); }) {
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

void TaskSource::AskAhead(uint64_t completed) {
  {
    MutexLock lock(mutex_);
    question_ = completed;
    answer_.reset();
  }
  changed_.NotifyAll();
}

absl::StatusOr<std::optional<v1::DataTask>> TaskSource::TakeAhead() {
  MutexLock lock(mutex_);
  while (!answer_) changed_.Wait(mutex_);
  const absl::StatusOr<v1::NextTaskReply> answer = *std::exchange(answer_, std::nullopt);
  if (!answer.ok()) return answer.status();
  if (!answer->has_task()) return std::nullopt;
  return answer->task();
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
