#include "common/clock.h"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace convoy {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Another one after each start of the machine.
std::string BootId() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

// Since the machine was started.
absl::Duration SinceBoot() { return absl::FromChrono(SteadyClock::now().time_since_epoch()); }

}  // namespace

absl::Time SteadyNow() {
  static const absl::Time wall = absl::Now();
  static const SteadyClock::time_point start = SteadyClock::now();
  return wall + absl::FromChrono(SteadyClock::now() - start);
}

std::string SteadyMark() {
  return absl::StrCat(BootId(), " ", absl::ToUnixNanos(SteadyNow() - SinceBoot()));
}

std::optional<absl::Time> SteadyNowOf(std::string_view mark) {
  std::istringstream text{std::string(mark)};
  std::string boot;
  int64_t start_of_machine = 0;  // nanoseconds since 1970
  if (!(text >> boot >> start_of_machine) || boot != BootId()) return std::nullopt;
  return absl::FromUnixNanos(start_of_machine) + SinceBoot();
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
