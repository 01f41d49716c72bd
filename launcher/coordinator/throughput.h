// Examples per second over the last moments.
#ifndef CONVOY_LAUNCHER_COORDINATOR_THROUGHPUT_H_
#define CONVOY_LAUNCHER_COORDINATOR_THROUGHPUT_H_

#include <cstdint>
#include <deque>

#include "absl/time/time.h"

namespace convoy {

class Throughput {
 public:
  // Averages over at least `window`, or since the measurement before, whichever is longer: tasks
  // end in bursts, steps of sync in regular turns.
  // `examples`: those before `start`.
  explicit Throughput(absl::Time start, uint64_t examples = 0,
                      absl::Duration window = absl::Seconds(2))
      : window_(window), points_{{start, examples}} {}

  // `examples`: all so far. Returns examples per second, 0 if no time has passed.
  double Add(uint64_t examples, absl::Time now);

 private:
  struct Point {
    absl::Time time;
    uint64_t examples;
  };

  const absl::Duration window_;
  std::deque<Point> points_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_THROUGHPUT_H_
