// One child process: its start, its signals and its end.
#ifndef CONVOY_LAUNCHER_PROCESS_CHILD_PROCESS_H_
#define CONVOY_LAUNCHER_PROCESS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"
#include "launcher/process/process_exit.h"

namespace convoy {

// A descriptor that becomes readable when the process ends, whoever's child it is. Not valid (and
// errno is set) if there is no such process.
OwnedFd OpenPidfd(pid_t pid);

// What to start.
struct ProcessSpec {
  // "coordinator", "server" or "worker", and the number among them: for messages.
  std::string role;
  int rank = 0;
  // The default is the running program itself.
  std::string program = "/proc/self/exe";
  // argv, the program's name included.
  std::vector<std::string> arguments;
  // Set on top of this process's environment.
  std::vector<std::pair<std::string, std::string>> environment;
  // Standard output and error are appended to this file.
  std::string log_path;
};

// Owned and used by one thread, the one that started it: the child dies (SIGKILL) when that thread
// ends, in whatever way. Not destroyed before Reap succeeded.
class ChildProcess {
 public:
  // Returns after exec. NotFound, PermissionDenied etc.: the log can't be opened or the program
  // can't be run; there is no child then.
  static absl::StatusOr<ChildProcess> Start(const ProcessSpec& spec);

  pid_t pid() const { return pid_; }
  const std::string& role() const { return role_; }
  int rank() const { return rank_; }
  const std::string& log_path() const { return log_path_; }
  // Readable when the process has ended.
  int pidfd() const { return pidfd_.get(); }

  // Sends `signal` to the process and to all that it started and that stayed in its group.
  void Signal(int signal) const;
  // If the process has ended: kills what is left of its group, and forgets the process. Does not
  // wait. `stopping` of the result is false.
  std::optional<ProcessExit> Reap();

 private:
  ChildProcess(const ProcessSpec& spec, pid_t pid, OwnedFd pidfd);

  std::string role_;
  int rank_;
  std::string log_path_;
  pid_t pid_;
  OwnedFd pidfd_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_CHILD_PROCESS_H_
