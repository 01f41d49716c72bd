#include "tests/testing/launched_children.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/run_program.h"

namespace convoy::testing {
namespace {

// Whether all threads are stopped. A process that is gone has none.
bool StandsStill(pid_t pid) {
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"), error)) {
    const std::string stat = ReadFile(task.path() / "stat");
    const size_t name_end = stat.rfind(')');  // then " STATE ..."
    if (name_end != std::string::npos && stat[name_end + 2] != 'T') return false;
  }
  return true;
}

}  // namespace

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

bool Freeze(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) kill(pid, SIGSTOP);
  for (int i = 0; i < 10'000; ++i) {
    if (std::all_of(pids.begin(), pids.end(), StandsStill)) return true;
    SleepMs(1);
  }
  return false;
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
