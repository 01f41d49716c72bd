// A set of numbers kept as few disjoint ranges: which steps or tasks have been dealt with.
#ifndef CONVOY_LAUNCHER_COORDINATOR_INTERVAL_SET_H_
#define CONVOY_LAUNCHER_COORDINATOR_INTERVAL_SET_H_

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

 private:
  std::map<uint64_t, uint64_t> ends_;  // begin -> end; disjoint, not touching
};

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COORDINATOR_INTERVAL_SET_H_
