// Buffers for the versions of cells. A version is immutable once it is published and is shared by
// the cell, by replies under way and by snapshots; its memory returns to the pool with the last of
// them.
#ifndef CONVOY_PS_BUFFER_POOL_H_
#define CONVOY_PS_BUFFER_POOL_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/aligned_buffer.h"
#include "common/mutex.h"

namespace convoy {

// `size` floats, aligned to 64 bytes.
using VersionBuffer = std::shared_ptr<std::span<float>>;

// Thread-safe. The pool may go before its buffers.
class BufferPool {
 public:
  struct Options {
    // Spare buffers are kept up to this; above it they are freed.
    size_t max_spare_bytes = size_t{64} << 20;
    // Overwrite buffers with NaN when they come back, so that a use after release can't go unseen
    // (tests).
    bool poison = false;
  };

  explicit BufferPool(Options options) : state_(std::make_shared<State>(options)) {}

  // Contents undefined.
  VersionBuffer Acquire(size_t size);
  // Bytes of all buffers that are in use now.
  size_t live_bytes() const;

 private:
  // Neighbouring buffers start at different offsets within a page: without that an update's input
  // and output often lie a multiple of 4 KiB apart, which costs up to half of its speed on some
  // machines. All of a size are alike in memory, so that one takes the place of another that was
  // freed.
  struct Buffer {
    AlignedBuffer memory;
    std::span<float> values;
  };
  struct State {
    explicit State(Options o) : options(o) {}
    void Release(std::unique_ptr<Buffer> buffer);

    const Options options;
    Mutex mutex;
    absl::flat_hash_map<size_t, std::vector<std::unique_ptr<Buffer>>> spare
        CONVOY_GUARDED_BY(mutex);
    size_t spare_bytes CONVOY_GUARDED_BY(mutex) = 0;
    size_t live_bytes CONVOY_GUARDED_BY(mutex) = 0;
    size_t made CONVOY_GUARDED_BY(mutex) = 0;
  };

  std::shared_ptr<State> state_;
};

}  // namespace convoy

#endif  // CONVOY_PS_BUFFER_POOL_H_
