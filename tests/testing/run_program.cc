#include "tests/testing/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace convoy::testing {

using Clock = std::chrono::steady_clock;

Program::Program(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  setpgid(pid_, pid_);
  close(ends[1]);
  pipe_ = ends[0];
}

Program::~Program() {
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(pipe_);
}

void Program::Signal(int signal) const { kill(pid_, signal); }

bool Program::Read(int timeout_ms) {
  pollfd readable{pipe_, POLLIN, 0};
  if (poll(&readable, 1, timeout_ms) <= 0) return true;
  char buffer[4096];
  const ssize_t count = read(pipe_, buffer, sizeof(buffer));
  if (count <= 0) return false;
  output_.append(buffer, static_cast<size_t>(count));
  return true;
}

std::string Program::Output() {
  const auto soon = Clock::now() + std::chrono::milliseconds(20);
  while (Clock::now() < soon && Read(10)) {
  }
  return output_;
}

bool Program::WaitForOutput(const std::string& text, std::chrono::seconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (output_.find(text) == std::string::npos) {
    if (Clock::now() > deadline || !Read(100)) return output_.find(text) != std::string::npos;
  }
  return true;
}

ProgramResult Program::Wait(std::chrono::seconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (Read(100)) {
    if (Clock::now() > deadline) {
      output_ += "\n[test: killed after " + std::to_string(timeout.count()) + " s]";
      kill(-pid_, SIGKILL);
      break;
    }
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), output_};
}

ProgramResult RunProgram(const std::vector<std::string>& arguments) {
  return Program(arguments).Wait();
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "convoy-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void SleepMs(uint64_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

}  // namespace convoy::testing
