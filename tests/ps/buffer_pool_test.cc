#include "ps/buffer_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/allocator.h"
#include "common/sanitized.h"

namespace convoy {
namespace {

TEST(BufferPoolTest, BuffersAreAlignedAndOfTheSizeAskedFor) {
  BufferPool pool({});
  std::vector<VersionBuffer> held;
  for (size_t size : {1, 3, 16, 17, 65536}) {
    for (int i = 0; i < 40; ++i) {
      held.push_back(pool.Acquire(size));
      EXPECT_EQ(held.back()->size(), size);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(held.back()->data()) % kBufferAlignment, 0u);
      std::fill(held.back()->begin(), held.back()->end(), 1.0f);
    }
  }
}

TEST(BufferPoolTest, MemoryReturnsWithTheLastReference) {
  BufferPool pool({});
  VersionBuffer one = pool.Acquire(10);
  const float* const memory = one->data();
  EXPECT_EQ(pool.live_bytes(), 40u);
  VersionBuffer copy = one;
  one = nullptr;
  EXPECT_EQ(pool.live_bytes(), 40u);
  VersionBuffer other = pool.Acquire(10);
  EXPECT_NE(other->data(), memory) << "in use";
  copy = nullptr;
  EXPECT_EQ(pool.live_bytes(), 40u);
  EXPECT_EQ(pool.Acquire(10)->data(), memory) << "spare buffers are used again";
}

TEST(BufferPoolTest, SpareMemoryIsBounded) {
  BufferPool pool({.max_spare_bytes = 100 * sizeof(float)});
  std::vector<VersionBuffer> held;
  for (int i = 0; i < 3; ++i) held.push_back(pool.Acquire(60));
  // The last one released fits (60 of 100), the others are freed; nothing is counted twice.
  held.clear();
  EXPECT_EQ(pool.live_bytes(), 0u);
  for (int round = 0; round < 3; ++round) {
    const VersionBuffer a = pool.Acquire(60), b = pool.Acquire(60);
    EXPECT_NE(a->data(), b->data());
  }
}

// Every other of 200 buffers is freed and as many are made: they lie where the freed ones lay, so
// that a server does not grow with its updates.
TEST(BufferPoolTest, MemoryOfFreedBuffersServesTheNextOnes) {
  if (kSanitized) GTEST_SKIP() << "sanitizers have an allocator of their own";
  ConfigureAllocator();
  constexpr size_t kSize = 65536;
  BufferPool pool({.max_spare_bytes = 0});
  std::vector<VersionBuffer> freed, held;
  for (int i = 0; i < 100; ++i) {
    freed.push_back(pool.Acquire(kSize));
    held.push_back(pool.Acquire(kSize));
  }
  const float* last = nullptr;
  for (const auto* buffers : {&freed, &held}) {
    for (const VersionBuffer& buffer : *buffers)
      last = std::max<const float*>(last, buffer->data());
  }
  freed.clear();
  for (int i = 0; i < 100; ++i) {
    held.push_back(pool.Acquire(kSize));
    EXPECT_LE(held.back()->data(), last) << "the heap grew for buffer " << i;
  }
}

TEST(BufferPoolTest, BuffersOutliveThePool) {
  auto pool = std::make_unique<BufferPool>(BufferPool::Options{});
  VersionBuffer buffer = pool->Acquire(4);
  pool.reset();
  (*buffer)[3] = 5;
  EXPECT_EQ((*buffer)[3], 5);
}

TEST(BufferPoolTest, PoisonShowsAUseAfterRelease) {
  BufferPool pool({.poison = true});
  {
    const VersionBuffer buffer = pool.Acquire(4);
    std::fill(buffer->begin(), buffer->end(), 1.0f);
  }
  for (float value : *pool.Acquire(4)) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace convoy
