// Bytes that live somewhere else: in memory that gRPC received into, in a weight buffer of a
// server, in a gradient buffer of a worker. A payload is a list of segments and a handle that keeps
// them alive; copying a payload copies no bytes.
#ifndef CONVOY_COMMON_NET_PAYLOAD_H_
#define CONVOY_COMMON_NET_PAYLOAD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace convoy {

struct Segment {
  const char* data;
  size_t size;
};

class Payload {
 public:
  Payload() = default;
  explicit Payload(std::shared_ptr<const void> owner) : owner_(std::move(owner)) {}
  // The floats of `values`, kept alive by `owner`.
  Payload(std::span<const float> values, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)) {
    Append({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }

  // Empty again, for bytes that `owner` keeps alive.
  void Restart(std::shared_ptr<const void> owner) {
    segments_.clear();
    owner_ = std::move(owner);
    size_ = 0;
  }

  void Append(Segment segment) {
    if (segment.size == 0) return;
    segments_.push_back(segment);
    size_ += segment.size;
  }

  std::span<const Segment> segments() const { return segments_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  // In bytes.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Copies all bytes to `out`, which has room for size() bytes.
  void CopyTo(void* out) const {
    char* to = static_cast<char*>(out);
    for (const Segment& segment : segments_) {
      std::memcpy(to, segment.data, segment.size);
      to += segment.size;
    }
  }
  // All bytes in one piece, for small messages.
  std::string ToString() const {
    std::string bytes(size_, '\0');
    CopyTo(bytes.data());
    return bytes;
  }

 private:
  absl::InlinedVector<Segment, 4> segments_;
  std::shared_ptr<const void> owner_;
  size_t size_ = 0;
};

// Calls fn(const float* values, size_t count, size_t index of the first) on consecutive runs that
// cover the size() / 4 floats of the payload. Runs are aligned to 4 bytes: floats that are split
// over segments, and segments that start at an odd address, are copied through a small buffer on
// the stack.
template <typename Fn>
void ForEachFloatRun(const Payload& payload, Fn&& fn) {
  constexpr size_t kScratch = 1024;
  alignas(64) float scratch[kScratch];
  char* const bytes = reinterpret_cast<char*>(scratch);
  size_t index = 0;
  size_t carried = 0;  // bytes of an incomplete float at the start of `scratch`
  for (Segment segment : payload.segments()) {
    while (segment.size > 0) {
      if (carried == 0 && segment.size >= sizeof(float) &&
          reinterpret_cast<uintptr_t>(segment.data) % alignof(float) == 0) {
        const size_t count = segment.size / sizeof(float);
        fn(reinterpret_cast<const float*>(segment.data), count, index);
        index += count;
        segment.data += count * sizeof(float);
        segment.size -= count * sizeof(float);
        continue;
      }
      const size_t take = std::min(segment.size, sizeof(scratch) - carried);
      std::memcpy(bytes + carried, segment.data, take);
      segment.data += take;
      segment.size -= take;
      const size_t count = (carried + take) / sizeof(float);
      carried = (carried + take) % sizeof(float);
      if (count == 0) continue;
      fn(static_cast<const float*>(scratch), count, index);
      index += count;
      std::memmove(bytes, bytes + count * sizeof(float), carried);
    }
  }
}

// Calls fn(const char* floats, size_t count) on consecutive runs of whole floats where they lie, at
// any address: for a single pass over the bytes. A float that is split over segments is a run of
// its own.
template <typename Fn>
void ForEachUnalignedRun(const Payload& payload, Fn&& fn) {
  char split[sizeof(float)];
  size_t carried = 0;  // bytes in `split`
  for (Segment segment : payload.segments()) {
    while (carried > 0 && segment.size > 0) {
      split[carried++] = *segment.data++;
      --segment.size;
      if (carried < sizeof(float)) continue;
      fn(static_cast<const char*>(split), size_t{1});
      carried = 0;
    }
    if (carried > 0) continue;
    const size_t count = segment.size / sizeof(float);
    if (count > 0) fn(segment.data, count);
    carried = segment.size % sizeof(float);
    std::memcpy(split, segment.data + count * sizeof(float), carried);
  }
}

}  // namespace convoy

#endif  // CONVOY_COMMON_NET_PAYLOAD_H_
