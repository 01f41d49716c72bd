// A fixed-size array of float32, aligned to 64 bytes. Eigen's sums and exponentials depend on
// alignment, so everything that takes part in training lives in such arrays.
#ifndef CONVOY_COMMON_ALIGNED_BUFFER_H_
#define CONVOY_COMMON_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstring>
#include <memory>
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
  static float* Allocate(size_t bytes);
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_ALIGNED_BUFFER_H_
