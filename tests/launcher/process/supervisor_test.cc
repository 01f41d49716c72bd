// How children are started, and what is known of their ends. Of those that are made to end see
// supervisor_stop_test.cc.
#include "launcher/process/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/files/owned_fd.h"
#include "launcher/process/child_process.h"
#include "launcher/process/process_exit.h"
#include "tests/launcher/process/supervisor_fixture.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

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

}  // namespace
}  // namespace convoy
