// Children that are made to end: by Stop, by Kill, with their parents.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "launcher/process/supervisor.h"
#include "tests/launcher/process/supervisor_fixture.h"

namespace convoy {
namespace {

TEST_F(SupervisorTest, BeingStoppedIsNoFailure) {
  Start();
  Spawn(0, "exec sleep 1000");
  supervisor_->Stop();
  EXPECT_FALSE(supervisor_->FirstFailure().has_value());
  EXPECT_TRUE(ExitOf(0).stopping);
  EXPECT_EQ(ExitOf(0).code, SIGTERM);
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
