#include "worker/compute_delay.h"

#include "absl/time/clock.h"

namespace convoy {
namespace {
constexpr double kShortestSleep = 100e-6;  // seconds; a sleep takes about 60 us longer than asked
}  // namespace

absl::Duration ComputeDelay::SleepForReal(absl::Duration duration) {
  const absl::Time begin = absl::Now();
  absl::SleepFor(duration);
  return absl::Now() - begin;
}

void ComputeDelay::Computed(double seconds) {
  owed_ += (factor_ - 1) * seconds;
  if (owed_ < kShortestSleep) return;
  const double slept = absl::ToDoubleSeconds(sleep_(absl::Seconds(owed_)));
  owed_ -= slept;
  slept_.store(slept_seconds() + slept, std::memory_order_relaxed);
}

}  // namespace convoy
