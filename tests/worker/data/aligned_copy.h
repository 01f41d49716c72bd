// A cache file in memory.
#ifndef CONVOY_TESTS_WORKER_DATA_ALIGNED_COPY_H_
#define CONVOY_TESTS_WORKER_DATA_ALIGNED_COPY_H_

#include <cstring>
#include <new>
#include <span>
#include <string>

#include "worker/data/cache_format.h"

namespace convoy::testing {

// A cache file in memory, aligned as a mapping is.
class AlignedCopy {
 public:
  explicit AlignedCopy(const std::string& bytes)
      : data_(static_cast<char*>(::operator new(bytes.size() + 1, kAlignment))),
        size_(bytes.size()) {
    std::memcpy(data_, bytes.data(), bytes.size());
  }
  ~AlignedCopy() { ::operator delete(data_, kAlignment); }
  AlignedCopy(const AlignedCopy&) = delete;
  AlignedCopy& operator=(const AlignedCopy&) = delete;
  std::span<const char> bytes() const { return {data_, size_}; }

 private:
  static constexpr std::align_val_t kAlignment{kCacheAlignment};
  char* const data_;
  const size_t size_;
};

}  // namespace convoy::testing

#endif  // CONVOY_TESTS_WORKER_DATA_ALIGNED_COPY_H_
