// The time as rows know it.
#ifndef CONVOY_PS_TABLE_ROW_CLOCK_H_
#define CONVOY_PS_TABLE_ROW_CLOCK_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace convoy {

// Whole seconds since the first event of a server, which fit into a row's header; they never go
// back, whatever the machine's clock does. Thread-safe.
class RowClock {
 public:
  static constexpr uint32_t kMaxSeconds = (uint32_t{1} << 31) - 1;  // 68 years; it stays there

  // An event happens at `now`.
  void Advance(absl::Time now) {
    const int64_t second = absl::ToUnixSeconds(now);
    int64_t start = kNotStarted;
    if (start_.compare_exchange_strong(start, second)) return;
    const int64_t passed = std::clamp<int64_t>(second - start, 0, kMaxSeconds);
    uint32_t before = seconds_.load(std::memory_order_relaxed);
    while (passed > before && !seconds_.compare_exchange_weak(before, static_cast<uint32_t>(passed),
                                                              std::memory_order_relaxed)) {
    }
  }
  uint32_t seconds() const { return seconds_.load(std::memory_order_relaxed); }

 private:
  static constexpr int64_t kNotStarted = INT64_MIN;
  std::atomic<int64_t> start_{kNotStarted};  // Unix time
  std::atomic<uint32_t> seconds_{0};
};

}  // namespace convoy

#endif  // CONVOY_PS_TABLE_ROW_CLOCK_H_
