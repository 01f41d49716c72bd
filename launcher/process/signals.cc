#include "launcher/process/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "common/files/file_io.h"

namespace convoy {
namespace {

bool IsIgnored(int signal) {
  struct sigaction action;
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

sigset_t StopSet() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  if (!IsIgnored(SIGHUP)) ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StopSignals>> StopSignals::Start(Callback callback) {
  const sigset_t set = StopSet();
  OwnedFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) return ErrnoError("cannot make", "signalfd");
  OwnedFd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) return ErrnoError("cannot make", "eventfd");
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  auto self = std::unique_ptr<StopSignals>(
      new StopSignals(std::move(callback), std::move(signals), std::move(stop)));
  self->thread_ = std::thread([raw = self.get()] { raw->Run(); });
  return self;
}

StopSignals::StopSignals(Callback callback, OwnedFd signals, OwnedFd stop)
    : callback_(std::move(callback)), signals_(std::move(signals)), stop_(std::move(stop)) {}

StopSignals::~StopSignals() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

void StopSignals::Run() {
  ::pthread_setname_np(::pthread_self(), "signals");
  while (true) {
    pollfd fds[] = {{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    ::poll(fds, 2, -1);
    if (fds[1].revents != 0) return;
    signalfd_siginfo info;
    if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) continue;
    const int signal = static_cast<int>(info.ssi_signo);
    int none = 0;
    const bool first = first_signal_.compare_exchange_strong(none, signal);
    callback_(signal, first ? StopUrgency::kOrderly : StopUrgency::kImmediate);
  }
}

}  // namespace convoy
