#include "launcher/process/child_stub.h"

#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

namespace convoy {
namespace {

void ResetSignals() {
  struct sigaction defaults = {};
  defaults.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &defaults, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void DieWithParent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the call above.
  if (::getppid() != parent) ::_exit(127);
}

void SetUpDescriptors(const ChildStub& stub) {
  ::dup2(stub.input_fd, STDIN_FILENO);
  ::dup2(stub.log_fd, STDOUT_FILENO);
  ::dup2(stub.log_fd, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

}  // namespace

void RunChildStub(const ChildStub& stub) {
  ::setpgid(0, 0);
  DieWithParent(stub.parent);
  SetUpDescriptors(stub);
  ResetSignals();
  ::execve(stub.program, stub.arguments, stub.environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(stub.error_fd, &error, sizeof(error));
  ::_exit(127);
}

}  // namespace convoy
