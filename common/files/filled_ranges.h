// Which part of [0, size) was filled by pieces that come in any order and may repeat.
#ifndef CONVOY_COMMON_FILES_FILLED_RANGES_H_
#define CONVOY_COMMON_FILES_FILLED_RANGES_H_

#include <cstdint>
#include <map>

namespace convoy {

// One thread at a time.
class FilledRanges {
 public:
  explicit FilledRanges(uint64_t size) : size_(size) {}

  // Marks [begin, end), which lies within [0, size).
  void Fill(uint64_t begin, uint64_t end);
  // The lowest position that is not filled; `size` if there is none.
  uint64_t FirstHole() const;
  bool Full() const { return FirstHole() == size_; }

 private:
  const uint64_t size_;
  std::map<uint64_t, uint64_t> ranges_;  // begin -> end; disjoint, not touching
};

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_FILLED_RANGES_H_
