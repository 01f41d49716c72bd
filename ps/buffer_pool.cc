#include "ps/buffer_pool.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace convoy {
namespace {

constexpr size_t kPageFloats = 4096 / sizeof(float);

uintptr_t InPage(const float* p) {
  return reinterpret_cast<uintptr_t>(p) / sizeof(float) % kPageFloats;
}

// Where in `memory` a buffer begins: three quarters of a page past `read`, whole pages aside.
size_t Offset(const AlignedBuffer& memory, const float* read) {
  const uintptr_t begin = (read == nullptr ? 0 : InPage(read)) + kPageFloats / 4 * 3;
  return (begin + kPageFloats - InPage(memory.data())) % kPageFloats;
}

}  // namespace

VersionBuffer BufferPool::Acquire(size_t size, const float* read) {
  std::unique_ptr<Buffer> buffer;
  {
    MutexLock lock(state_->mutex);
    state_->live_bytes += size * sizeof(float);
    auto& spare = state_->spare[size];
    if (!spare.empty()) {
      buffer = std::move(spare.back());
      spare.pop_back();
      state_->spare_bytes -= size * sizeof(float);
    }
  }
  if (buffer == nullptr) {
    buffer = std::make_unique<Buffer>();
    buffer->memory = AlignedBuffer(size + kPageFloats);
  }
  buffer->values = buffer->memory.span().subspan(Offset(buffer->memory, read), size);
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
