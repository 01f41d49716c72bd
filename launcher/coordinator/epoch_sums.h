// The training metrics of the newest epoch, summed in the order of its steps or tasks whatever the
// order in which they are reported.
#ifndef CONVOY_LAUNCHER_COORDINATOR_EPOCH_SUMS_H_
#define CONVOY_LAUNCHER_COORDINATOR_EPOCH_SUMS_H_

#include <cstdint>
#include <map>
#include <utility>

#include "proto/coordinator.pb.h"

namespace convoy {

class EpochSums {
 public:
  struct Piece {
    uint64_t end = 0;
    v1::MetricSums sums;
  };
  // Everything, to be stored and gone on with.
  struct State {
    bool any = false;
    uint64_t epoch = 0;
    uint64_t folded_until = 0;
    v1::MetricSums folded;            // everything below folded_until
    std::map<uint64_t, Piece> later;  // by begin: what comes after a gap
  };

  EpochSums() = default;
  explicit EpochSums(State state) : state_(std::move(state)) {}
  const State& state() const { return state_; }

  // The sums over steps (or tasks) [begin, end) of `epoch`, whose first is `first`. A later epoch
  // than before starts anew, an earlier one is ignored.
  void Add(uint64_t epoch, uint64_t first, uint64_t begin, uint64_t end, v1::MetricSums sums);
  // Everything reported on the newest epoch.
  v1::MetricSums Total() const;

 private:
  State state_;
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_EPOCH_SUMS_H_
