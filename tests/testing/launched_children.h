// The processes that a launcher has started.
#ifndef CONVOY_TESTS_TESTING_LAUNCHED_CHILDREN_H_
#define CONVOY_TESTS_TESTING_LAUNCHED_CHILDREN_H_

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace convoy::testing {

struct LaunchedChild {
  pid_t pid = 0;
  std::string role;  // "coordinator", "server", "worker"
};

// Those that live, whether or not they have said a word.
std::vector<LaunchedChild> LaunchedChildren(pid_t launcher);

// Stops these processes, and waits until each of their threads stands still: one that the disk
// keeps waiting first ends the system call that it is in. False: not within some seconds.
bool Freeze(const std::vector<pid_t>& pids);

// Waits until none of these exists. False: not within some seconds.
bool WaitUntilGone(const std::set<pid_t>& pids);

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_TESTING_LAUNCHED_CHILDREN_H_
