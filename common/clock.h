// Time as an argument: logic classes take `now`, processes take a Clock.
#ifndef CONVOY_COMMON_CLOCK_H_
#define CONVOY_COMMON_CLOCK_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace convoy {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  // The machine's clock. Never destroyed.
  static const Clock& Real();
};

}  // namespace convoy

#endif  // CONVOY_COMMON_CLOCK_H_
