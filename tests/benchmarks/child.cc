#include "tests/benchmarks/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/benchmarks/push_pull.h"

extern char** environ;

namespace convoy::benchmarks {

Child::Child(const std::vector<std::string>& arguments) {
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) Fail("pipe");
  std::string self = "/proc/self/exe";
  std::vector<char*> argv{self.data()};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  if (::posix_spawn(&pid_, self.c_str(), &actions, nullptr, argv.data(), environ) != 0)
    Fail("cannot start a process");
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  input_ = OwnedFd(in[1]);
  output_ = OwnedFd(out[0]);
}

Child::~Child() {
  input_.Close();
  ::waitpid(pid_, nullptr, 0);
}

std::string Child::ReadLine() {
  std::string line;
  char c;
  while (::read(output_.get(), &c, 1) == 1 && c != '\n') line += c;
  return line;
}

void Child::WriteLine(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(input_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    Fail("a process has ended");
}

double Child::CpuSeconds() const {
  clockid_t clock;
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) == 0) ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace convoy::benchmarks
