// How a child process ended, in numbers and in words.
#ifndef CONVOY_LAUNCHER_PROCESS_PROCESS_EXIT_H_
#define CONVOY_LAUNCHER_PROCESS_PROCESS_EXIT_H_

#include <sys/types.h>

#include <string>

namespace convoy {

struct ProcessExit {
  // "coordinator", "server" or "worker", and the number among them.
  std::string role;
  int rank = 0;
  pid_t pid = 0;
  // True: ended by the signal `code`. False: exited with `code`.
  bool signaled = false;
  int code = 0;
  // The process was asked to stop before it ended.
  bool stopping = false;

  // Whether this is the end of a job: not asked for, and neither exit code 0.
  bool Failed() const { return !stopping && (signaled || code != 0); }
  // Ended by a signal that errors of a program raise, such as SIGSEGV and SIGABRT.
  bool Crashed() const;
  // As a shell gives it: the exit code, or 128 + the signal's number.
  int ExitCode() const { return signaled ? 128 + code : code; }
};

// "SIGKILL" for 9; "signal 250" for a number without a name.
std::string SignalName(int signal);

// `worker 1 (pid 1234) was killed by SIGKILL`, `worker 1 (pid 1234) exited with code 1`.
std::string DescribeExit(const ProcessExit& exit);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_PROCESS_EXIT_H_
