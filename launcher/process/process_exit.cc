#include "launcher/process/process_exit.h"

#include <signal.h>
#include <string.h>

#include "absl/strings/str_cat.h"

namespace convoy {

bool ProcessExit::Crashed() const {
  if (!signaled) return false;
  for (const int crash : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
    if (code == crash) return true;
  }
  return false;
}

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal) : absl::StrCat("SIG", name);
}

std::string DescribeExit(const ProcessExit& exit) {
  const std::string who = absl::StrCat(exit.role, " ", exit.rank, " (pid ", exit.pid, ")");
  if (exit.signaled) return absl::StrCat(who, " was killed by ", SignalName(exit.code));
  return absl::StrCat(who, " exited with code ", exit.code);
}

}  // namespace convoy
