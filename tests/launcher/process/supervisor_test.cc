#include "launcher/process/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "tests/common/files/scratch_folder.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

// Longer than any test may take: if it passes, something hangs.
constexpr absl::Duration kLong = absl::Seconds(20);

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
bool HasChildren() { return ::waitpid(-1, nullptr, WNOHANG) >= 0; }

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

TEST_F(SupervisorTest, ExitCodesAreReported) {
  Start();
  const pid_t pid = Spawn(0, "exit 3");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(ExitOf(0).pid, pid);
  EXPECT_FALSE(ExitOf(0).signaled);
  EXPECT_EQ(ExitOf(0).code, 3);
}

TEST_F(SupervisorTest, OneThatStaysIsNotWaitedFor) {
  Start();
  const pid_t stays = Spawn(0, "exec sleep 1000");
  Spawn(1, "exit 3");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong, stays));
  EXPECT_EQ(ExitOf(1).code, 3);
  EXPECT_TRUE(supervisor_->Has(stays));
  EXPECT_FALSE(supervisor_->WaitUntilAllExited(absl::ZeroDuration()));
}

TEST_F(SupervisorTest, OnlyTheChildThatIsMeantIsSignalled) {
  Start();
  const pid_t pid = Spawn(0,
                          "trap 'echo heard >$READY; exit 7' USR1; echo up >$READY; "
                          "while :; do sleep 0.01; done");
  Spawn(1, "trap 'exit 8' USR1; echo up >$READY; exec sleep 1000");
  ASSERT_EQ(NextReady(), "up");
  ASSERT_EQ(NextReady(), "up");
  supervisor_->Signal(pid, SIGUSR1);
  supervisor_->Signal(::getpid(), SIGKILL);  // not a child
  EXPECT_EQ(NextReady(), "heard");
  std::optional<ProcessFailure> failure;
  while (!(failure = supervisor_->FirstFailure()))
    ASSERT_FALSE(supervisor_->WaitUntilAllExited(absl::Milliseconds(10)));
  EXPECT_EQ(failure->exit.pid, pid);
  EXPECT_EQ(failure->exit.code, 7);
}

TEST_F(SupervisorTest, FailuresAreForgivenOneByOne) {
  Start();
  for (int rank = 0; rank < 2; ++rank) {
    Spawn(rank, "exit " + std::to_string(3 + rank));
    ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  }
  ASSERT_EQ(supervisor_->Failures().size(), 2U);
  const std::vector<ProcessFailure> failures = supervisor_->Failures();
  EXPECT_EQ(supervisor_->FirstFailure()->exit.code, 3);
  supervisor_->Forgive(failures[1].exit.pid);
  EXPECT_EQ(supervisor_->FirstFailure()->exit.code, 3);
  ASSERT_EQ(supervisor_->Failures().size(), 1U);
  supervisor_->Forgive(failures[0].exit.pid);
  EXPECT_FALSE(supervisor_->FirstFailure().has_value());
  supervisor_->Forgive(failures[0].exit.pid);  // nothing left
  EXPECT_TRUE(supervisor_->Failures().empty());
}

TEST_F(SupervisorTest, SignalsAreReported) {
  Start();
  const pid_t pid = Spawn(1, "exec sleep 1000");
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(DescribeExit(ExitOf(1)),
            "worker 1 (pid " + std::to_string(pid) + ") was killed by SIGKILL");
}

TEST_F(SupervisorTest, OutputAndErrorsAreInTheLog) {
  Start();
  Spawn(0, "echo out; echo err >&2");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(folder_.Contents(LogName(0)), "out\nerr\n");
}

TEST_F(SupervisorTest, TheEnvironmentIsAddedToAndArgumentsArePassed) {
  ::setenv("CONVOY_TEST_KEPT", "kept", 1);
  ::setenv("CONVOY_TEST_CHANGED", "old", 1);
  Start();
  ProcessSpec spec = Shell(0, "echo $0 $1 $CONVOY_TEST_KEPT $CONVOY_TEST_CHANGED");
  spec.arguments.insert(spec.arguments.end(), {"zero", "with space"});
  spec.environment.emplace_back("CONVOY_TEST_CHANGED", "new");
  ASSERT_TRUE(supervisor_->Spawn(spec).ok());
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(folder_.Contents(LogName(0)), "zero with space kept new\n");
}

TEST_F(SupervisorTest, TheFirstFailureHasItsLastWords) {
  Start();
  const pid_t pid = Spawn(1, "echo started; echo no such data set >&2; exit 1");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  Spawn(2, "exit 2");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  const auto failure = supervisor_->FirstFailure();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit.rank, 1);
  EXPECT_EQ(failure->Describe(), "worker 1 (pid " + std::to_string(pid) +
                                     ") exited with code 1; its log is " + Log(1) +
                                     "\nthe log ends:\nstarted\nno such data set\n");
}

TEST_F(SupervisorTest, AGoodEndIsNoFailure) {
  Start();
  Spawn(0, "exit 0");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_FALSE(supervisor_->FirstFailure().has_value());
}

TEST_F(SupervisorTest, BeingStoppedIsNoFailure) {
  Start();
  Spawn(0, "exec sleep 1000");
  supervisor_->Stop();
  EXPECT_FALSE(supervisor_->FirstFailure().has_value());
  EXPECT_TRUE(ExitOf(0).stopping);
  EXPECT_EQ(ExitOf(0).code, SIGTERM);
}

TEST_F(SupervisorTest, AProgramThatCannotRunIsAnErrorAndNoChild) {
  Start();
  ProcessSpec spec = Shell(4, "");
  spec.program = folder_.File("none");
  const auto pid = supervisor_->Spawn(spec);
  EXPECT_EQ(pid.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(pid.status().message()), HasSubstr("cannot start worker 4"));
  EXPECT_FALSE(HasChildren());
  EXPECT_TRUE(supervisor_->WaitUntilAllExited(absl::ZeroDuration()));
}

TEST_F(SupervisorTest, ALogThatCannotBeOpenedIsAnError) {
  Start();
  ProcessSpec spec = Shell(0, "");
  spec.log_path = folder_.File("none/log");
  EXPECT_THAT(std::string(supervisor_->Spawn(spec).status().message()), HasSubstr("none/log"));
}

TEST_F(SupervisorTest, StopLetsChildrenLeaveInOrder) {
  Start();
  Spawn(0,
        "trap 'echo saved; exit 0' TERM; echo ready >$READY; while :; do sleep 1000 & wait; done");
  EXPECT_EQ(NextReady(), "ready");
  supervisor_->Stop();
  EXPECT_EQ(ExitOf(0).ExitCode(), 0);
  EXPECT_EQ(folder_.Contents(LogName(0)), "saved\n");
  EXPECT_FALSE(HasChildren());
}

TEST_F(SupervisorTest, AChildThatIgnoresSigtermIsKilledAfterTheGracePeriod) {
  Start(absl::Milliseconds(50));
  Spawn(0, "trap '' TERM; echo ready >$READY; while :; do sleep 1000; done");
  EXPECT_EQ(NextReady(), "ready");
  supervisor_->Stop();
  EXPECT_EQ(ExitOf(0).code, SIGKILL);
  EXPECT_FALSE(HasChildren());
}

TEST_F(SupervisorTest, AFrozenChildIsKilledAfterTheGracePeriod) {
  Start(absl::Milliseconds(50));
  const pid_t pid = Spawn(0, "exec sleep 1000");
  ::kill(pid, SIGSTOP);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOWAIT), 0);
  supervisor_->Stop();
  EXPECT_EQ(ExitOf(0).code, SIGKILL);
  EXPECT_FALSE(HasChildren());
}

TEST_F(SupervisorTest, KillDoesNotWaitForTheGracePeriod) {
  Start();
  Spawn(0, "trap '' TERM; echo ready >$READY; while :; do sleep 1000; done");
  EXPECT_EQ(NextReady(), "ready");
  supervisor_->Kill();
  supervisor_->Stop();
  EXPECT_EQ(ExitOf(0).code, SIGKILL);
  EXPECT_FALSE(HasChildren());
}

TEST_F(SupervisorTest, KillEndsAStopUnderWay) {
  Start();
  Spawn(0,
        "trap 'echo asked >$READY' TERM; echo ready >$READY; while :; do sleep 1000 & wait; done");
  EXPECT_EQ(NextReady(), "ready");
  std::thread stopping([&] { supervisor_->Stop(); });
  EXPECT_EQ(NextReady(), "asked");
  supervisor_->Kill();
  stopping.join();
  EXPECT_EQ(ExitOf(0).code, SIGKILL);
}

TEST_F(SupervisorTest, GrandchildrenEndWithTheStop) {
  Start();
  Spawn(0, "sleep 1000 & echo $! >$READY; wait");
  const Watched grandchild(std::stoi(NextReady()));
  supervisor_->Stop();
  EXPECT_TRUE(grandchild.Ended());
}

TEST_F(SupervisorTest, GrandchildrenEndWithTheirParent) {
  Start();
  const pid_t parent = Spawn(0, "sleep 1000 & echo $! >$READY; wait");
  const Watched grandchild(std::stoi(NextReady()));
  ::kill(parent, SIGKILL);
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_TRUE(grandchild.Ended());
}

TEST_F(SupervisorTest, NothingStartsAfterStop) {
  Start();
  supervisor_->Stop();
  supervisor_->Stop();
  EXPECT_EQ(supervisor_->Spawn(Shell(0, "exit 0")).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(SupervisorTest, ChildrenOutliveTheThreadThatAskedForThem) {
  Start();
  std::thread asking([&] { Spawn(0, "echo ready >$READY; exec sleep 1000"); });
  asking.join();
  EXPECT_EQ(NextReady(), "ready");
  EXPECT_FALSE(supervisor_->WaitUntilAllExited(absl::ZeroDuration()));
}

TEST_F(SupervisorTest, AnInterruptOfTheLaunchersGroupDoesNotReachChildren) {
  Start();
  const pid_t pid = Spawn(0, "exec sleep 1000");
  EXPECT_EQ(::getpgid(pid), pid);
  EXPECT_NE(::getpgid(pid), ::getpgrp());
}

TEST_F(SupervisorTest, ChildrenInheritNoDescriptors) {
  const OwnedFd leak(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  Start();
  Spawn(0, "ls /proc/self/fd");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  // 3 is the folder that ls reads.
  EXPECT_EQ(folder_.Contents(LogName(0)), "0\n1\n2\n3\n");
}

TEST_F(SupervisorTest, ChildrenInheritNoBlockedSignals) {
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Start();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  // Not by a shell, which would unblock them itself.
  ProcessSpec spec = Shell(0, "");
  spec.program = "/bin/grep";
  spec.arguments = {"grep", "SigBlk", "/proc/self/status"};
  ASSERT_TRUE(supervisor_->Spawn(spec).ok());
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(folder_.Contents(LogName(0)), "SigBlk:\t0000000000000000\n");
}

TEST_F(SupervisorTest, ChildrenAreReportedEvenIfSigchldWasIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  Start();
  Spawn(0, "exit 7");
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(ExitOf(0).code, 7);
}

TEST_F(SupervisorTest, OfSeveralDeadAtOnceTheKilledOneIsTheFirstFailure) {
  std::promise<void> held_up, go_on;
  auto started = Supervisor::Start({.on_exit = [&](const ProcessExit& exit) {
    if (exit.rank != 9) return;
    held_up.set_value();
    go_on.get_future().wait();
  }});
  ASSERT_TRUE(started.ok()) << started.status();
  supervisor_ = *std::move(started);
  const Watched exited(Spawn(0, "read go <$READY; exit 1"));
  const pid_t killed_pid = Spawn(1, "exec sleep 1000");
  const Watched killed(killed_pid);
  Spawn(9, "exit 0");
  // The supervisor's thread notices nothing until both are dead.
  held_up.get_future().wait();
  ASSERT_EQ(::write(fifo_.get(), "go\n", 3), 3);
  EXPECT_TRUE(exited.Ended());
  ::kill(killed_pid, SIGKILL);
  EXPECT_TRUE(killed.Ended());
  go_on.set_value();
  ASSERT_TRUE(supervisor_->WaitUntilAllExited(kLong));
  EXPECT_EQ(supervisor_->FirstFailure()->exit.rank, 1);
}

// The launcher is a process of its own here, which is killed with SIGKILL: it can do nothing any
// more, so the kernel must end its children.
TEST_F(SupervisorTest, ALauncherKilledBySigkillLeavesNoChild) {
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    auto supervisor = Supervisor::Start({});
    for (int rank = 0; rank < 3; ++rank) {
      if (!(*supervisor)->Spawn(Shell(rank, "echo $$ >$READY; exec sleep 1000")).ok()) ::_exit(1);
    }
    ::pause();
    ::_exit(2);
  }
  std::vector<Watched> children;
  for (int rank = 0; rank < 3; ++rank) children.emplace_back(std::stoi(NextReady()));
  ::kill(launcher, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(launcher, &status, 0), launcher);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  for (const Watched& child : children) EXPECT_TRUE(child.Ended());
}

TEST_F(SupervisorTest, ManyChildrenStopTogether) {
  Start();
  for (int rank = 0; rank < 16; ++rank) Spawn(rank, "exec sleep 1000");
  supervisor_->Stop();
  EXPECT_FALSE(HasChildren());
  for (int rank = 0; rank < 16; ++rank) EXPECT_EQ(ExitOf(rank).code, SIGTERM) << rank;
}

}  // namespace
}  // namespace convoy
