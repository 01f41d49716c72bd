// A set of numbers kept as few disjoint ranges: which steps or tasks have been dealt with.
#ifndef CONVOY_COMMON_INTERVAL_SET_H_
#define CONVOY_COMMON_INTERVAL_SET_H_

#include <cstddef>
#include <cstdint>
#include <map>

namespace convoy {

class IntervalSet {
 public:
  // Adds [begin, end). Neighbours are joined, so that work done about in order takes no memory.
  void Add(uint64_t begin, uint64_t end);
  bool Contains(uint64_t value) const;
  size_t ranges() const { return ends_.size(); }
  // begin -> end, ascending, neither overlapping nor touching.
  const std::map<uint64_t, uint64_t>& all() const { return ends_; }

 private:
  std::map<uint64_t, uint64_t> ends_;  // begin -> end; disjoint, not touching
};

}  // namespace convoy

#endif  // CONVOY_COMMON_INTERVAL_SET_H_
