// Runs a program as a user would, and keeps what it prints.
#ifndef CONVOY_TESTS_TESTING_RUN_PROGRAM_H_
#define CONVOY_TESTS_TESTING_RUN_PROGRAM_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace convoy::testing {

struct ProgramResult {
  int exit_code = -1;  // 128 + n: ended by signal n
  std::string output;  // standard output and error
};

// A running program; killed (with its process group) if it is destroyed before its end.
class Program {
 public:
  // arguments[0] is the program.
  explicit Program(const std::vector<std::string>& arguments);
  ~Program();
  Program(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // What it has printed so far.
  std::string Output();
  // Waits until the output contains `text`; false: it ended or the time is over.
  bool WaitForOutput(const std::string& text,
                     std::chrono::seconds timeout = std::chrono::seconds(60));
  // Waits for the end; after `timeout` it is killed.
  ProgramResult Wait(std::chrono::seconds timeout = std::chrono::seconds(120));

 private:
  bool Read(int timeout_ms);  // false: end of output

  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string output_;
};

ProgramResult RunProgram(const std::vector<std::string>& arguments);

// A new empty folder, removed with its contents at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void SleepMs(uint64_t milliseconds);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& contents);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_RUN_PROGRAM_H_
