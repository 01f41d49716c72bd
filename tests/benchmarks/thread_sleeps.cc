#include "tests/benchmarks/thread_sleeps.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace convoy::benchmarks {

std::vector<ThreadSleeps> SleepsOf(pid_t process) {
  std::vector<ThreadSleeps> threads;
  std::error_code ignored;
  const std::string folder = absl::StrCat("/proc/", process, "/task");
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    ThreadSleeps thread;
    thread.thread = std::atoi(entry.path().filename().c_str());
    std::ifstream status(entry.path() / "status");
    for (std::string key; status >> key;) {
      if (key == "Name:") status >> thread.name;
      if (key == "voluntary_ctxt_switches:") status >> thread.sleeps;
    }
    threads.push_back(std::move(thread));
  }
  return threads;
}

std::vector<ThreadSleeps> SleepsSince(const std::vector<ThreadSleeps>& before,
                                      std::vector<ThreadSleeps> after) {
  for (ThreadSleeps& thread : after) {
    for (const ThreadSleeps& earlier : before) {
      if (earlier.thread == thread.thread) thread.sleeps -= earlier.sleeps;
    }
  }
  return after;
}

std::string Describe(const std::vector<ThreadSleeps>& sleeps, int operations) {
  std::string text;
  double others = 0;
  for (const ThreadSleeps& thread : sleeps) {
    const double each = static_cast<double>(thread.sleeps) / operations;
    if (each < 0.01) {
      others += each;
    } else {
      absl::StrAppendFormat(&text, "%s %.2f, ", thread.name, each);
    }
  }
  return absl::StrCat(text, absl::StrFormat("others %.4f", others));
}

}  // namespace convoy::benchmarks
