#include "worker/data/replay.h"

#include <algorithm>
#include <cmath>

#include "common/math/random.h"

namespace convoy {

Replay::Replay(uint64_t fresh, uint64_t old, double share)
    : fresh_(fresh),
      old_(old),
      replayed_(std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(
                                          static_cast<double>(fresh) * share / (1 - share))))) {}

Range Replay::Fresh(const Range& positions) const {
  return {positions.begin - OldBefore(positions.begin), positions.end - OldBefore(positions.end)};
}

Range Replay::Old(const Range& positions) const {
  return {OldBefore(positions.begin), OldBefore(positions.end)};
}

void ReplayOrder::Examples(uint64_t epoch, const Range& numbers, std::vector<uint32_t>* examples,
                           std::vector<uint64_t>* times) {
  examples->clear();
  times->clear();
  const uint64_t begin = epoch * replay_->replayed();
  for (uint64_t number = numbers.begin; number < numbers.end; ++number) {
    const uint64_t pass = (begin + number) / replay_->old();
    examples->push_back(At(pass, (begin + number) % replay_->old()));
    times->push_back(pass - begin / replay_->old());
  }
}

uint32_t ReplayOrder::At(uint64_t pass, uint64_t place) {
  if (!shuffle_) return static_cast<uint32_t>(place);
  if (order_.empty() || pass != drawn_pass_) {
    order_ = SeededPermutation(replay_->old(), seed_, "replay order", pass);
    drawn_pass_ = pass;
  }
  return order_[place];
}

}  // namespace convoy
