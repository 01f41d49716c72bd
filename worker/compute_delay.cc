#include "worker/compute_delay.h"

#include "common/clock.h"

namespace convoy {
namespace {
constexpr double kShortestSleep = 100e-6;  // seconds; a sleep takes about 60 us longer than asked
}  // namespace

absl::Duration ComputeDelay::SleepForReal(absl::Duration duration) {
  const absl::Time begin = SteadyNow();
  absl::SleepFor(duration);
  return SteadyNow() - begin;
}

void ComputeDelay::Computed(double seconds) {
  owed_ += (factor_ - 1) * seconds;
  if (owed_ < kShortestSleep) return;
  const double slept = absl::ToDoubleSeconds(sleep_(absl::Seconds(owed_)));
  owed_ -= slept;
  slept_.store(slept_seconds() + slept, std::memory_order_relaxed);
}

}  // namespace convoy
