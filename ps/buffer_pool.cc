#include "ps/buffer_pool.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace convoy {
namespace {

constexpr size_t kStaggers = 32;
constexpr size_t kLineFloats = kBufferAlignment / sizeof(float);

}  // namespace

VersionBuffer BufferPool::Acquire(size_t size) {
  std::unique_ptr<Buffer> buffer;
  size_t stagger = 0;
  {
    MutexLock lock(state_->mutex);
    state_->live_bytes += size * sizeof(float);
    auto& spare = state_->spare[size];
    if (!spare.empty()) {
      buffer = std::move(spare.back());
      spare.pop_back();
      state_->spare_bytes -= size * sizeof(float);
    }
    stagger = (2 * (state_->made++ % kStaggers) + 1) * kLineFloats;
  }
  if (buffer == nullptr) {
    buffer = std::make_unique<Buffer>();
    buffer->memory = AlignedBuffer(size + 2 * kStaggers * kLineFloats);
    buffer->values = buffer->memory.span().subspan(stagger, size);
  }
  // The deleter keeps the state, so a buffer may outlive the pool.
  std::span<float>* values = &buffer->values;
  return VersionBuffer(values, [state = state_, raw = buffer.release()](std::span<float>*) {
    state->Release(std::unique_ptr<Buffer>(raw));
  });
}

void BufferPool::State::Release(std::unique_ptr<Buffer> buffer) {
  const size_t bytes = buffer->values.size_bytes();
  if (options.poison) {
    std::fill(buffer->values.begin(), buffer->values.end(),
              std::numeric_limits<float>::quiet_NaN());
  }
  MutexLock lock(mutex);
  live_bytes -= bytes;
  if (spare_bytes + bytes > options.max_spare_bytes) return;
  spare_bytes += bytes;
  spare[buffer->values.size()].push_back(std::move(buffer));
}

size_t BufferPool::live_bytes() const {
  MutexLock lock(state_->mutex);
  return state_->live_bytes;
}

}  // namespace convoy
