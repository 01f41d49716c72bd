// Ranks by Zipf's law.
#ifndef CONVOY_EXAMPLES_CRITEO_LIKE_ZIPF_H_
#define CONVOY_EXAMPLES_CRITEO_LIKE_ZIPF_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace convoy::criteo_like {

// Draws rank k of n with probability proportional to 1 / (k + 1)^exponent, in constant time: the
// alias method of Walker, "An efficient method for generating discrete random variables with
// general distributions", ACM TOMS 3(3), 1977. Immutable; 8 bytes a rank.
class Zipf {
 public:
  // n >= 1.
  Zipf(uint32_t n, double exponent);

  // `slot` and `coin`: 32 random bits each.
  uint32_t Rank(uint32_t slot, uint32_t coin) const {
    const Slot& drawn = slots_[static_cast<size_t>((uint64_t{slot} * slots_.size()) >> 32)];
    return coin < drawn.threshold ? static_cast<uint32_t>(&drawn - slots_.data()) : drawn.alias;
  }

 private:
  struct Slot {
    uint32_t threshold = UINT32_MAX;  // of the coin: below it the slot's own rank
    uint32_t alias = 0;
  };

  std::vector<Slot> slots_;
};

}  // namespace convoy::criteo_like

#endif  // CONVOY_EXAMPLES_CRITEO_LIKE_ZIPF_H_
