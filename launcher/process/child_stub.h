// What happens in a child between fork and exec.
#ifndef CONVOY_LAUNCHER_PROCESS_CHILD_STUB_H_
#define CONVOY_LAUNCHER_PROCESS_CHILD_STUB_H_

#include <sys/types.h>

namespace convoy {

// Everything that the child needs, made before the fork. Pointers stay the parent's.
struct ChildStub {
  // execve's arguments.
  const char* program = nullptr;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  // Becomes standard input, and standard output and error.
  int input_fd = -1;
  int log_fd = -1;
  // If exec fails, errno is written here (4 bytes); exec closes it.
  int error_fd = -1;
  // The process that forks.
  pid_t parent = 0;
};

// Sets up the calling process, which was just forked, and becomes `stub.program`: own process
// group (a terminal's Ctrl-C does not reach it), SIGKILL when the thread that forked ends, default
// signal handling, no inherited descriptors but 0..2. Only async-signal-safe calls.
[[noreturn]] void RunChildStub(const ChildStub& stub);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_CHILD_STUB_H_
