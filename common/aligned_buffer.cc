#include "common/aligned_buffer.h"

#include <cstdint>
#include <new>

#include "common/sanitized.h"

namespace convoy {

// Aligned by hand: memory that the C library aligned can't be used for the next buffer of the same
// size once it is freed (its memalign before 2.38), and a server grew to half as much again as it
// had in use. The address to free stands in front of the buffer. A sanitizer's allocator aligns,
// and so watches both ends.
float* AlignedBuffer::Allocate(size_t bytes) {
  if constexpr (kSanitized) {
    return static_cast<float*>(::operator new(bytes, std::align_val_t(kBufferAlignment)));
  }
  char* const memory = static_cast<char*>(::operator new(bytes + kBufferAlignment));
  char* const data =
      memory + kBufferAlignment - reinterpret_cast<uintptr_t>(memory) % kBufferAlignment;
  static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= sizeof(memory));  // so there is room
  std::memcpy(data - sizeof(memory), &memory, sizeof(memory));
  return reinterpret_cast<float*>(data);
}

void AlignedBuffer::Free::operator()(float* data) const {
  if constexpr (kSanitized) {
    ::operator delete(data, std::align_val_t(kBufferAlignment));
  } else {
    char* memory;
    std::memcpy(&memory, reinterpret_cast<char*>(data) - sizeof(memory), sizeof(memory));
    ::operator delete(memory);
  }
}

}  // namespace convoy
