// data.old.replay: epochs in which old examples come among the new ones.
//
// Replay of what was learnt before is the oldest remedy for forgetting: Ratcliff, "Connectionist
// models of recognition memory", Psychological Review 97(2), 1990; Robins, "Catastrophic
// forgetting, rehearsal and pseudorehearsal", Connection Science 7(2), 1995.
#ifndef CONVOY_WORKER_DATA_REPLAY_H_
#define CONVOY_WORKER_DATA_REPLAY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "worker/data/batches.h"

namespace convoy {

// Where old examples stand. An epoch of n new ones has r = round(n * share / (1 - share)) old ones,
// at least 1, at positions as even as can be: of any stretch of l positions floor or ceil of
// l * r / (n + r) are old. So every batch, slice and task has its share, whatever their sizes are.
// Immutable.
class Replay {
 public:
  // `fresh`: new examples of an epoch, `old`: examples there are to replay, both at least 1;
  // `share` in (0, 1). size() has to be below 2^32, which is left to the caller.
  Replay(uint64_t fresh, uint64_t old, double share);

  uint64_t old() const { return old_; }
  uint64_t replayed() const { return replayed_; }  // in an epoch
  uint64_t size() const { return fresh_ + replayed_; }
  // Whether an old example is at `position`.
  bool IsOld(uint64_t position) const { return OldBefore(position) != OldBefore(position + 1); }
  // The new ones, and the old ones, of an epoch that stand at `positions`.
  Range Fresh(const Range& positions) const;
  Range Old(const Range& positions) const;

 private:
  uint64_t OldBefore(uint64_t position) const { return position * replayed_ / size(); }

  uint64_t fresh_, old_, replayed_;
};

// Which old examples come: they take turns over all epochs, each pass in an order of (seed, pass)
// or that of the file. None comes again before all have come; number j of epoch e is number
// e * replayed() + j of all. One thread. Keeps the order of one pass, 4 bytes an old example.
class ReplayOrder {
 public:
  // `replay` outlives the order. Fewer than 2^32 old examples.
  ReplayOrder(const Replay* replay, uint64_t seed, bool shuffle)
      : replay_(replay), seed_(seed), shuffle_(shuffle) {}

  // Replaces `examples` by the examples `numbers` (within replayed()) of the epoch, and `times` by
  // how many passes have begun in it before: no two are the same example at the same time.
  void Examples(uint64_t epoch, const Range& numbers, std::vector<uint32_t>* examples,
                std::vector<uint64_t>* times);

 private:
  uint32_t At(uint64_t pass, uint64_t place);

  const Replay* const replay_;
  const uint64_t seed_;
  const bool shuffle_;
  uint64_t drawn_pass_ = 0;
  std::vector<uint32_t> order_;  // of drawn_pass_; empty: none yet
};

}  // namespace convoy

#endif  // CONVOY_WORKER_DATA_REPLAY_H_
