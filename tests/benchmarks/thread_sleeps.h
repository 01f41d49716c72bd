// How often the threads of a process went to sleep of their own accord (/proc/PID/task/*/status):
// each time somebody had to wake them up, which is what a hand-off from thread to thread costs.
#ifndef CONVOY_TESTS_BENCHMARKS_THREAD_SLEEPS_H_
#define CONVOY_TESTS_BENCHMARKS_THREAD_SLEEPS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::benchmarks {

struct ThreadSleeps {
  pid_t thread = 0;
  std::string name;
  int64_t sleeps = 0;  // voluntary context switches since its start
};

std::vector<ThreadSleeps> SleepsOf(pid_t process);

// By thread; threads that ended are left out.
std::vector<ThreadSleeps> SleepsSince(const std::vector<ThreadSleeps>& before,
                                      std::vector<ThreadSleeps> after);

// "name 1.00, others 0.003", for each of `operations`.
std::string Describe(const std::vector<ThreadSleeps>& sleeps, int operations);

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_THREAD_SLEEPS_H_
