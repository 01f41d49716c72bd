#include "launcher/process/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/files/file_io.h"
#include "common/status.h"
#include "launcher/process/child_stub.h"

namespace convoy {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> environment;
  for (char** entry = ::environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  for (const auto& [name, value] : additions) {
    const std::string prefix = name + "=";
    std::erase_if(environment, [&](const std::string& e) { return e.starts_with(prefix); });
    environment.push_back(prefix + value);
  }
  return environment;
}

absl::StatusOr<OwnedFd> OpenLog(const std::string& path) {
  OwnedFd log(::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666));
  if (!log.valid()) return ErrnoError("cannot open log", path);
  return log;
}

// Waits for exec: the errno of its failure, or 0 when the pipe is closed by its success.
int ReadExecError(const OwnedFd& pipe_end) {
  int error = 0;
  while (::read(pipe_end.get(), &error, sizeof(error)) < 0 && errno == EINTR) {
  }
  return error;
}

void WaitForEnd(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

// <sys/pidfd.h> of glibc 2.36 can't be used from C++.
OwnedFd OpenPidfd(pid_t pid) {
  return OwnedFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

ChildProcess::ChildProcess(const ProcessSpec& spec, pid_t pid, OwnedFd pidfd)
    : role_(spec.role),
      rank_(spec.rank),
      log_path_(spec.log_path),
      pid_(pid),
      pidfd_(std::move(pidfd)) {}

absl::StatusOr<ChildProcess> ChildProcess::Start(const ProcessSpec& spec) {
  CONVOY_ASSIGN_OR_RETURN(const OwnedFd log, OpenLog(spec.log_path));
  const OwnedFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input.valid()) return ErrnoError("cannot open", "/dev/null");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("cannot make a pipe for", spec.program);
  const OwnedFd error_reader(ends[0]);
  OwnedFd error_writer(ends[1]);

  std::vector<std::string> arguments = spec.arguments;
  std::vector<std::string> environment = Environment(spec.environment);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  const ChildStub stub = {.program = spec.program.c_str(),
                          .arguments = argv.data(),
                          .environment = envp.data(),
                          .input_fd = input.get(),
                          .log_fd = log.get(),
                          .error_fd = error_writer.get(),
                          .parent = ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoError("cannot start a process for", spec.program);
  if (pid == 0) RunChildStub(stub);

  error_writer.Close();
  if (const int error = ReadExecError(error_reader); error != 0) {
    WaitForEnd(pid);
    errno = error;
    return ErrnoError(absl::StrCat("cannot start ", spec.role, " ", spec.rank, ": cannot run"),
                      spec.program);
  }
  OwnedFd pidfd = OpenPidfd(pid);
  if (!pidfd.valid()) {
    const absl::Status status = ErrnoError("cannot watch the process of", spec.program);
    ::kill(-pid, SIGKILL);
    WaitForEnd(pid);
    return status;
  }
  return ChildProcess(spec, pid, std::move(pidfd));
}

void ChildProcess::Signal(int signal) const { ::kill(-pid_, signal); }

std::optional<ProcessExit> ChildProcess::Reap() {
  siginfo_t info = {};
  // WNOWAIT: until the process is reaped nobody else can get its number, or its group's.
  if (::waitid(P_PID, pid_, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    return std::nullopt;
  }
  Signal(SIGKILL);
  WaitForEnd(pid_);
  ProcessExit exit;
  exit.role = role_;
  exit.rank = rank_;
  exit.pid = pid_;
  exit.signaled = info.si_code != CLD_EXITED;
  exit.code = info.si_status;
  return exit;
}

}  // namespace convoy
