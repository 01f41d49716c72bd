// A supervisor whose children are shell scripts, which can say how far they are.
#ifndef CONVOY_TESTS_LAUNCHER_PROCESS_SUPERVISOR_FIXTURE_H_
#define CONVOY_TESTS_LAUNCHER_PROCESS_SUPERVISOR_FIXTURE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/files/owned_fd.h"
#include "common/mutex.h"
#include "launcher/process/child_process.h"
#include "launcher/process/process_exit.h"
#include "launcher/process/supervisor.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {

// Longer than any test may take: if it passes, something hangs.
inline constexpr absl::Duration kLong = absl::Seconds(20);

// A process that may belong to anybody.
class Watched {
 public:
  explicit Watched(pid_t pid) : fd_(OpenPidfd(pid)) {}
  // Waits until it has ended; false if it lives on.
  bool Ended() const {
    if (!fd_.valid()) return true;
    pollfd fd = {fd_.get(), POLLIN, 0};
    return ::poll(&fd, 1, static_cast<int>(absl::ToInt64Milliseconds(kLong))) == 1;
  }

 private:
  OwnedFd fd_;
};

// Living or not yet reaped.
inline bool HasChildren() { return ::waitpid(-1, nullptr, WNOHANG) >= 0; }

class SupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkfifo(fifo().c_str(), 0600), 0);
    // Also opened for writing: a child that does not write leaves the reader waiting, not failing.
    fifo_ = OwnedFd(::open(fifo().c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(fifo_.valid());
  }

  void Start(absl::Duration grace = kLong) {
    auto started = Supervisor::Start({.grace = grace, .on_exit = [this](const ProcessExit& exit) {
                                        MutexLock lock(mutex_);
                                        exits_[exit.rank] = exit;
                                      }});
    ASSERT_TRUE(started.ok()) << started.status();
    supervisor_ = *std::move(started);
  }

  ProcessSpec Shell(int rank, const std::string& script) const {
    return {.role = "worker",
            .rank = rank,
            .program = "/bin/sh",
            .arguments = {"sh", "-c", script},
            .environment = {{"READY", fifo()}},
            .log_path = Log(rank)};
  }
  // The pid of a child that runs `script`.
  pid_t Spawn(int rank, const std::string& script) {
    const auto pid = supervisor_->Spawn(Shell(rank, script));
    EXPECT_TRUE(pid.ok()) << pid.status();
    return pid.value_or(0);
  }
  // Waits for the next line that a script writes to $READY.
  std::string NextReady() const {
    std::string line;
    for (char c = 0; c != '\n';) {
      pollfd fd = {fifo_.get(), POLLIN, 0};
      if (::poll(&fd, 1, static_cast<int>(absl::ToInt64Milliseconds(kLong))) != 1) return "none";
      if (::read(fifo_.get(), &c, 1) != 1) return "none";
      if (c != '\n') line.push_back(c);
    }
    return line;
  }
  ProcessExit ExitOf(int rank) {
    MutexLock lock(mutex_);
    return exits_[rank];
  }
  std::string LogName(int rank) const { return "worker-" + std::to_string(rank) + ".log"; }
  std::string Log(int rank) const { return folder_.File(LogName(rank)); }
  std::string fifo() const { return folder_.File("ready"); }

  ScratchFolder folder_;
  OwnedFd fifo_;
  Mutex mutex_;
  std::map<int, ProcessExit> exits_ CONVOY_GUARDED_BY(mutex_);
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_LAUNCHER_PROCESS_SUPERVISOR_FIXTURE_H_
