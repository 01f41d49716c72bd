// The server's side of the arithmetic for parties without the product: weights in blocks, plain
// SGD, each version beside the one before so that a reply can refer to it.
#ifndef CONVOY_TESTS_BENCHMARKS_BLOCK_VERSIONS_H_
#define CONVOY_TESTS_BENCHMARKS_BLOCK_VERSIONS_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "common/aligned_buffer.h"
#include "tests/benchmarks/push_pull.h"

namespace convoy::benchmarks {

// What precedes a block on the wire.
struct BlockHeader {
  uint32_t block;
  uint32_t bytes;
};

class BlockVersions {
 public:
  // A worker has at most one reply of a block under way, so 2 * workers versions are enough.
  explicit BlockVersions(const Tensor& tensor)
      : size_(tensor.block_floats), ring_(2 * tensor.workers) {
    for (int64_t i = 0; i < tensor.blocks * ring_; ++i) {
      buffers_.emplace_back(static_cast<size_t>(size_) + Stagger(i));
    }
    latest_.assign(static_cast<size_t>(tensor.blocks), 0);
  }

  int64_t bytes() const { return size_ * 4; }
  const float* current(uint32_t block) const { return Version(block, latest_[block]); }
  // Advances the block; its gradient follows in runs through Update.
  void Begin(uint32_t block) {
    from_ = Version(block, latest_[block]);
    to_ = Version(block, ++latest_[block]);
  }
  // `count` gradient floats at any address, for elements [index, index + count).
  void Update(const char* gradient, size_t count, size_t index) {
    const float* from = from_ + index;
    float* to = to_ + index;
    for (size_t i = 0; i < count; ++i) {
      float g;
      std::memcpy(&g, gradient + 4 * i, 4);
      to[i] = from[i] - 0.01f * g;
    }
  }

 private:
  // Neighbouring buffers must not lie a multiple of 4 KiB apart.
  static size_t Stagger(int64_t i) { return static_cast<size_t>(2 * (i % 32) + 1) * 16; }
  float* Version(uint32_t block, uint64_t version) {
    const int64_t i =
        int64_t{block} * ring_ + static_cast<int64_t>(version % static_cast<uint64_t>(ring_));
    return buffers_[static_cast<size_t>(i)].data() + Stagger(i);
  }
  const float* Version(uint32_t block, uint64_t version) const {
    return const_cast<BlockVersions*>(this)->Version(block, version);
  }

  const int64_t size_, ring_;
  std::vector<AlignedBuffer> buffers_;
  std::vector<uint64_t> latest_;  // by block
  float* from_ = nullptr;
  float* to_ = nullptr;
};

}  // namespace convoy::benchmarks

#endif  // CONVOY_TESTS_BENCHMARKS_BLOCK_VERSIONS_H_
