// Makes a worker slower than it is (rehearsal.slow_worker): it sleeps in proportion to the time
// that its model computes.
#ifndef CONVOY_WORKER_COMPUTE_DELAY_H_
#define CONVOY_WORKER_COMPUTE_DELAY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/time/time.h"
#include "common/rehearsal/slow_worker.h"

namespace convoy {

// One thread, but for slept_seconds().
class ComputeDelay {
 public:
  // Sleeps for about as long and returns how long it was.
  using Sleep = std::function<absl::Duration(absl::Duration)>;
  static absl::Duration SleepForReal(absl::Duration duration);

  explicit ComputeDelay(Slowness slowness, Sleep sleep = SleepForReal)
      : slowness_(std::move(slowness)), sleep_(std::move(sleep)) {}

  // The next batch begins.
  void BeginBatch() { factor_ = slowness_.FactorOf(batch_++); }
  // The model has computed for `seconds` and is about to hand something over: sleeps (factor - 1)
  // times as long. What is shorter than a system's sleep is kept for the next time, and what a
  // sleep was too long is taken off it.
  void Computed(double seconds);

  // Any thread.
  double slept_seconds() const { return slept_.load(std::memory_order_relaxed); }

 private:
  const Slowness slowness_;
  const Sleep sleep_;
  uint64_t batch_ = 0;
  double factor_ = 1;
  double owed_ = 0;  // seconds; negative: slept too long
  std::atomic<double> slept_{0};
};

}  // namespace convoy

#endif  // CONVOY_WORKER_COMPUTE_DELAY_H_
