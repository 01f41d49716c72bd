#include "tests/testing/launched_children.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {

std::vector<LaunchedChild> LaunchedChildren(pid_t launcher) {
  std::vector<LaunchedChild> children;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", launcher, "/task"), error)) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid; list >> pid;) {
      const std::string command = ReadFile(absl::StrCat("/proc/", pid, "/cmdline"));
      const std::vector<std::string> words = absl::StrSplit(command, '\0');
      // Before its exec a child is called as the launcher is.
      if (words.size() > 1 && words[1] != "train") children.push_back({pid, words[1]});
    }
  }
  return children;
}

bool WaitUntilGone(const std::set<pid_t>& pids) {
  for (int i = 0; i < 100; ++i) {
    size_t alive = 0;
    for (const pid_t pid : pids) alive += kill(pid, 0) == 0 ? 1 : 0;
    if (alive == 0) return true;
    SleepMs(50);
  }
  return false;
}

}  // namespace convoy::testing
