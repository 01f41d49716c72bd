#include "launcher/commands/run_control.h"

#include <cstdio>
#include <utility>

#include "common/clock.h"

namespace convoy {

bool RunControl::SetProcesses(std::shared_ptr<JobProcesses> processes) {
  MutexLock lock(mutex_);
  if (stop_wanted_) return false;
  processes_ = std::move(processes);
  return true;
}

void RunControl::SetClient(std::shared_ptr<CoordinatorClient> client) {
  MutexLock lock(mutex_);
  client_ = std::move(client);
}

void RunControl::EndJob() {
  std::shared_ptr<CoordinatorClient> client;  // closed without the lock
  MutexLock lock(mutex_);
  ended_ = true;
  client.swap(client_);
}

std::shared_ptr<JobProcesses> RunControl::TakeProcesses() {
  MutexLock lock(mutex_);
  client_.reset();
  return std::exchange(processes_, nullptr);
}

std::shared_ptr<JobProcesses> RunControl::processes() const {
  MutexLock lock(mutex_);
  return processes_;
}

std::shared_ptr<CoordinatorClient> RunControl::client() const {
  MutexLock lock(mutex_);
  return client_;
}

bool RunControl::stop_wanted() const {
  MutexLock lock(mutex_);
  return stop_wanted_;
}

bool RunControl::WaitUnlessStopped(absl::Duration duration) {
  const absl::Time until = SteadyNow() + duration;
  MutexLock lock(mutex_);
  for (absl::Duration left; !stop_wanted_ && (left = until - SteadyNow()) > absl::ZeroDuration();)
    stop_changed_.WaitFor(mutex_, left);
  return !stop_wanted_;
}

void RunControl::Stop(StopUrgency urgency) {
  std::shared_ptr<JobProcesses> processes;
  std::shared_ptr<CoordinatorClient> client;
  {
    MutexLock lock(mutex_);
    stop_wanted_ = true;
    stop_changed_.NotifyAll();
    processes = processes_;
    client = client_;
    if (ended_ && urgency == StopUrgency::kOrderly) return;
  }
  if (urgency == StopUrgency::kOrderly && client != nullptr) {
    std::fprintf(stderr,
                 "\nconvoy: stopping in order and saving the weights; once more to stop at once\n");
    const absl::Status told = client->Stop("signal");
    // A coordinator that is away for a moment is told again (TrainingRun).
    if (told.ok() || absl::IsUnavailable(told) || absl::IsDeadlineExceeded(told)) return;
  }
  if (processes != nullptr) processes->Kill();
}

void RunControl::OnExit() {
  if (const std::shared_ptr<CoordinatorClient> other = client()) other->CancelProgress();
}

}  // namespace convoy
