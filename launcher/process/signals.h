// SIGINT, SIGTERM and SIGHUP as requests: the first asks for an orderly stop, the next ones to end
// at once. No signal handlers: a thread reads the signals from a descriptor.
#ifndef CONVOY_LAUNCHER_PROCESS_SIGNALS_H_
#define CONVOY_LAUNCHER_PROCESS_SIGNALS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "common/files/owned_fd.h"

namespace convoy {

enum class StopUrgency {
  // Save what is worth saving, then leave.
  kOrderly,
  // Leave now.
  kImmediate,
};

// A shell's exit code of a process that ended because of `signal`.
constexpr int ExitCodeOfSignal(int signal) { return 128 + signal; }

// Create in `main` before any other thread: the signals are blocked in the calling thread and in
// the threads that it starts from then on. SIGHUP is left alone if it is ignored (nohup).
class StopSignals {
 public:
  // Called by the thread of this object, once per signal: kOrderly first, kImmediate from then on.
  using Callback = std::function<void(int signal, StopUrgency urgency)>;

  static absl::StatusOr<std::unique_ptr<StopSignals>> Start(Callback callback);
  // Waits for a callback that is running. The signals stay blocked.
  ~StopSignals();

  // The first signal that came; 0: none so far.
  int first_signal() const { return first_signal_.load(); }

 private:
  StopSignals(Callback callback, OwnedFd signals, OwnedFd stop);
  void Run();

  const Callback callback_;
  const OwnedFd signals_;  // signalfd
  const OwnedFd stop_;     // eventfd
  std::atomic<int> first_signal_ = 0;
  std::thread thread_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_PROCESS_SIGNALS_H_
