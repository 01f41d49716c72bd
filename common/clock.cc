#include "common/clock.h"

#include <chrono>

namespace convoy {

absl::Time SteadyNow() {
  using SteadyClock = std::chrono::steady_clock;
  static const absl::Time wall = absl::Now();
  static const SteadyClock::time_point start = SteadyClock::now();
  return wall + absl::FromChrono(SteadyClock::now() - start);
}

namespace {
class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return SteadyNow(); }
};
}  // namespace

const Clock& Clock::Real() {
  static const RealClock* const clock = new RealClock;
  return *clock;
}

}  // namespace convoy
