#include "tests/ps/table/counted_heap.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<size_t> heap_bytes = 0;

// The size stands in front of the memory, which begins after one `alignment`.
void* Allocate(size_t size, size_t alignment) {
  const size_t whole = (size + 2 * alignment - 1) / alignment * alignment;
  char* const block = static_cast<char*>(std::aligned_alloc(alignment, whole));
  if (block == nullptr) std::abort();
  std::memcpy(block + alignment - sizeof(size), &size, sizeof(size));
  heap_bytes += size;
  return block + alignment;
}

void Release(void* memory, size_t alignment) {
  if (memory == nullptr) return;
  char* const begin = static_cast<char*>(memory);
  size_t size = 0;
  std::memcpy(&size, begin - sizeof(size), sizeof(size));
  heap_bytes -= size;
  std::free(begin - alignment);
}

constexpr size_t kDefault = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
size_t Of(std::align_val_t alignment) { return static_cast<size_t>(alignment); }

}  // namespace

void* operator new(size_t size) { return Allocate(size, kDefault); }
void* operator new[](size_t size) { return Allocate(size, kDefault); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, Of(alignment));
}
void operator delete(void* p) noexcept { Release(p, kDefault); }
void operator delete[](void* p) noexcept { Release(p, kDefault); }
void operator delete(void* p, size_t) noexcept { Release(p, kDefault); }
void operator delete[](void* p, size_t) noexcept { Release(p, kDefault); }
void operator delete(void* p, std::align_val_t alignment) noexcept { Release(p, Of(alignment)); }
void operator delete(void* p, size_t, std::align_val_t alignment) noexcept {
  Release(p, Of(alignment));
}

namespace convoy {

size_t HeapBytes() { return heap_bytes; }

}  // namespace convoy
