// What other threads may do to a run of `convoy train`: stop it, and wake the one that follows it.
#ifndef CONVOY_LAUNCHER_COMMANDS_RUN_CONTROL_H_
#define CONVOY_LAUNCHER_COMMANDS_RUN_CONTROL_H_

#include <memory>

#include "absl/time/time.h"
#include "common/mutex.h"
#include "common/net/coordinator_client.h"
#include "launcher/commands/job_processes.h"
#include "launcher/process/signals.h"

namespace convoy {

// Thread-safe. Has the processes of the run's present life and the way to their coordinator, none
// of which may be there yet.
class RunControl {
 public:
  // False: the run was asked to stop before, and must not begin with these.
  bool SetProcesses(std::shared_ptr<JobProcesses> processes);
  void SetClient(std::shared_ptr<CoordinatorClient> client);
  // The job has ended. The connection to its coordinator is closed, which then need not wait for
  // it, and a first Stop changes nothing any more.
  void EndJob();
  // They are gone. Returns them.
  std::shared_ptr<JobProcesses> TakeProcesses();

  std::shared_ptr<JobProcesses> processes() const;
  std::shared_ptr<CoordinatorClient> client() const;
  // By Stop.
  bool stop_wanted() const;
  // Returns early, false, once a stop is wanted.
  bool WaitUnlessStopped(absl::Duration duration);

  // The user wants it: in order, or at once.
  void Stop(StopUrgency urgency);
  // A process has ended: nobody waits for news meanwhile.
  void OnExit();

 private:
  mutable Mutex mutex_;
  CondVar stop_changed_;
  bool stop_wanted_ CONVOY_GUARDED_BY(mutex_) = false;
  bool ended_ CONVOY_GUARDED_BY(mutex_) = false;
  std::shared_ptr<JobProcesses> processes_ CONVOY_GUARDED_BY(mutex_);
  std::shared_ptr<CoordinatorClient> client_ CONVOY_GUARDED_BY(mutex_);
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_RUN_CONTROL_H_
