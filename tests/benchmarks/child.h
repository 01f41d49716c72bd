// A copy of this program with other arguments, as a child that talks through pipes.
#ifndef CONVOY_TESTS_BENCHMARKS_CHILD_H_
#define CONVOY_TESTS_BENCHMARKS_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/files/owned_fd.h"

namespace convoy::benchmarks {

class Child {
 public:
  // arguments: without the program's name.
  explicit Child(const std::vector<std::string>& arguments);
  // Closes its input, which is the sign to end, and waits for it.
  ~Child();

  // The next line that it prints, without the newline; empty when it has ended.
  std::string ReadLine();
  void WriteLine(const std::string& line);
  // Processor time it has used.
  double CpuSeconds() const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  OwnedFd input_, output_;
};

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_CHILD_H_
