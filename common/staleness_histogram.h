// How often each staleness occurred: exact up to 15, then in ranges that double.
#ifndef CONVOY_COMMON_STALENESS_HISTOGRAM_H_
#define CONVOY_COMMON_STALENESS_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace convoy {

inline constexpr size_t kStalenessBuckets = 32;

// 0 to 15: that staleness; 16: 16 to 31; 17: 32 to 63; ...; 31: all above.
constexpr size_t StalenessBucket(uint64_t staleness) {
  if (staleness < 16) return static_cast<size_t>(staleness);
  return std::min<size_t>(kStalenessBuckets - 1,
                          static_cast<size_t>(std::bit_width(staleness)) + 11);
}

// The least staleness of a bucket.
constexpr uint64_t StalenessBucketBegin(size_t bucket) {
  return bucket < 16 ? bucket : uint64_t{1} << (bucket - 12);
}

// Any thread.
class StalenessHistogram {
 public:
  void Add(uint64_t staleness) {
    counts_[StalenessBucket(staleness)].fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kStalenessBuckets> counts_{};
};

}  // namespace convoy

#endif  // CONVOY_COMMON_STALENESS_HISTOGRAM_H_
