#include "launcher/process/process_exit.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace convoy {
namespace {

ProcessExit Worker(bool signaled, int code) {
  return {.role = "worker", .rank = 1, .pid = 1234, .signaled = signaled, .code = code};
}

TEST(ProcessExitTest, IsDescribedWithRoleRankPidAndCause) {
  EXPECT_EQ(DescribeExit(Worker(true, SIGKILL)), "worker 1 (pid 1234) was killed by SIGKILL");
  EXPECT_EQ(DescribeExit(Worker(false, 1)), "worker 1 (pid 1234) exited with code 1");
}

TEST(ProcessExitTest, SignalsWithoutANameHaveTheirNumber) {
  EXPECT_EQ(SignalName(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(SignalName(250), "signal 250");
}

TEST(ProcessExitTest, TheExitCodeIsAShells) {
  EXPECT_EQ(Worker(true, SIGKILL).ExitCode(), 137);
  EXPECT_EQ(Worker(false, 3).ExitCode(), 3);
}

TEST(ProcessExitTest, ACrashIsToldFromAKill) {
  for (const int crash : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) {
    EXPECT_TRUE(Worker(true, crash).Crashed()) << crash;
  }
  for (const int kill : {SIGKILL, SIGTERM, SIGHUP}) EXPECT_FALSE(Worker(true, kill).Crashed());
  EXPECT_FALSE(Worker(false, SIGSEGV).Crashed());  // an exit code
}

TEST(ProcessExitTest, OnlyAnUnaskedBadEndIsAFailure) {
  EXPECT_TRUE(Worker(true, SIGTERM).Failed());
  EXPECT_TRUE(Worker(false, 1).Failed());
  EXPECT_FALSE(Worker(false, 0).Failed());
  ProcessExit asked = Worker(true, SIGTERM);
  asked.stopping = true;
  EXPECT_FALSE(asked.Failed());
}

}  // namespace
}  // namespace convoy
