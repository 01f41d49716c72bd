// Time as an argument: logic classes take `now`, processes take a Clock.
#ifndef CONVOY_COMMON_CLOCK_H_
#define CONVOY_COMMON_CLOCK_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace convoy {

// The machine's time when the process started, plus what has passed since then: it goes on evenly
// when the machine's clock is set. For deadlines and durations; compare with itself only.
absl::Time SteadyNow();

// By what another process of this machine knows this one's SteadyNow: text without a line's end.
std::string SteadyMark();
// What SteadyNow is now in the process of that mark, which may have ended. nullopt: the machine has
// been started anew since then, or it is no mark.
std::optional<absl::Time> SteadyNowOf(std::string_view mark);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  // SteadyNow. Never destroyed.
  static const Clock& Real();
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CLOCK_H_
