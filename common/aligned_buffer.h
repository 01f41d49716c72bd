// A fixed-size array of float32, aligned to 64 bytes. Eigen's sums and exponentials depend on
// alignment, so everything that takes part in training lives in such arrays.
#ifndef CONVOY_COMMON_ALIGNED_BUFFER_H_
#define CONVOY_COMMON_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace convoy {

inline constexpr size_t kBufferAlignment = 64;

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // `size` zeros.
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    const size_t bytes =
        (size * sizeof(float) + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    data_.reset(Allocate(bytes));
    std::memset(data_.get(), 0, bytes);
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  float& operator[](size_t i) { return data_.get()[i]; }
  float operator[](size_t i) const { return data_.get()[i]; }
  std::span<float> span() { return {data_.get(), size_}; }
  std::span<const float> span() const { return {data_.get(), size_}; }
  // Makes room for at least `size` floats; the contents are zeros if it had to grow.
  void Reserve(size_t size) {
    if (size > size_) *this = AlignedBuffer(size);
  }

 private:
  // Aligned by hand: memory that the C library aligned can't be used for the next buffer of the
  // same size once it is freed (its memalign before 2.38), and a server grew to half as much again
  // as it had in use. The address to free stands in front of the buffer.
  static float* Allocate(size_t bytes) {
    char* const memory = static_cast<char*>(::operator new(bytes + kBufferAlignment));
    char* const data =
        memory + kBufferAlignment - reinterpret_cast<uintptr_t>(memory) % kBufferAlignment;
    static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= sizeof(memory));  // so there is room
    std::memcpy(data - sizeof(memory), &memory, sizeof(memory));
    return reinterpret_cast<float*>(data);
  }
  struct Free {
    void operator()(float* data) const {
      char* memory;
      std::memcpy(&memory, reinterpret_cast<char*>(data) - sizeof(memory), sizeof(memory));
      ::operator delete(memory);
    }
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_ALIGNED_BUFFER_H_
