#include "launcher/process/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace convoy {
namespace {

// Runs `body` in a process of its own, since blocked signals stay blocked; gives its exit code, or
// 1000 + the signal that ended it.
int InChild(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// Collects what the callback is told; Next waits for it.
class Received {
 public:
  struct Entry {
    int signal;
    StopUrgency urgency;
  };
  Received() {
    if (::pipe(ends_) != 0) ::_exit(99);
  }
  StopSignals::Callback callback() {
    return [this](int signal, StopUrgency urgency) {
      const Entry entry = {signal, urgency};
      if (::write(ends_[1], &entry, sizeof(entry)) != sizeof(entry)) ::_exit(98);
    };
  }
  Entry Next() {
    Entry entry;
    if (::read(ends_[0], &entry, sizeof(entry)) != sizeof(entry)) ::_exit(97);
    return entry;
  }

 private:
  int ends_[2];
};

bool Same(const Received::Entry& entry, int signal, StopUrgency urgency) {
  return entry.signal == signal && entry.urgency == urgency;
}

TEST(StopSignalsTest, TheFirstAsksForAnOrderlyStopAndTheNextForAnEnd) {
  EXPECT_EQ(InChild([] {
              Received received;
              auto signals = StopSignals::Start(received.callback());
              if (!signals.ok() || (*signals)->first_signal() != 0) return 1;
              ::kill(::getpid(), SIGINT);
              if (!Same(received.Next(), SIGINT, StopUrgency::kOrderly)) return 2;
              ::kill(::getpid(), SIGTERM);
              if (!Same(received.Next(), SIGTERM, StopUrgency::kImmediate)) return 3;
              ::kill(::getpid(), SIGINT);
              if (!Same(received.Next(), SIGINT, StopUrgency::kImmediate)) return 4;
              return (*signals)->first_signal() == SIGINT ? 0 : 5;
            }),
            0);
}

TEST(StopSignalsTest, AHangUpIsAnOrderlyStop) {
  EXPECT_EQ(InChild([] {
              Received received;
              auto signals = StopSignals::Start(received.callback());
              ::kill(::getpid(), SIGHUP);
              return Same(received.Next(), SIGHUP, StopUrgency::kOrderly) ? 0 : 1;
            }),
            0);
}

TEST(StopSignalsTest, UnderNohupAHangUpIsNothing) {
  EXPECT_EQ(InChild([] {
              ::signal(SIGHUP, SIG_IGN);
              Received received;
              auto signals = StopSignals::Start(received.callback());
              ::kill(::getpid(), SIGHUP);
              ::kill(::getpid(), SIGTERM);
              return Same(received.Next(), SIGTERM, StopUrgency::kOrderly) ? 0 : 1;
            }),
            0);
}

TEST(StopSignalsTest, OtherSignalsKeepTheirMeaning) {
  EXPECT_EQ(InChild([] {
              auto signals = StopSignals::Start([](int, StopUrgency) {});
              ::kill(::getpid(), SIGUSR1);
              return 0;
            }),
            1000 + SIGUSR1);
}

TEST(StopSignalsTest, TheExitCodeOfASignalIsAShells) {
  EXPECT_EQ(ExitCodeOfSignal(SIGINT), 130);
  EXPECT_EQ(ExitCodeOfSignal(SIGTERM), 143);
}

}  // namespace
}  // namespace convoy
