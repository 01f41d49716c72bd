#include "ps/table/row_arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace convoy {
namespace {

TEST(RowArenaTest, MemoryIsAlignedAndNoTwoPiecesOverlap) {
  RowArena arena;
  std::vector<std::pair<char*, size_t>> pieces;
  // Ordinary sizes, odd ones, and some that are larger than a region.
  for (const size_t size : {64, 1, 100, 4096, 70000, 3 << 20, 65 << 20, 64, 70 << 20, 100}) {
    char* const memory = static_cast<char*>(arena.Allocate(size));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    std::memset(memory, static_cast<int>(pieces.size()), size);
    pieces.emplace_back(memory, size);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto [memory, size] = pieces[i];
    EXPECT_EQ(memory[0], static_cast<char>(i));
    EXPECT_EQ(memory[size / 2], static_cast<char>(i));
    EXPECT_EQ(memory[size - 1], static_cast<char>(i));
  }
}

TEST(RowArenaTest, FreedMemoryIsUsedAgain) {
  RowArena arena;
  void* const first = arena.Allocate(1000);
  void* const second = arena.Allocate(1000);
  EXPECT_EQ(arena.used_bytes(), 2 * 1024u);
  arena.Free(first, 1000);
  EXPECT_EQ(arena.used_bytes(), 1024u);
  EXPECT_NE(arena.Allocate(2000), first);
  EXPECT_EQ(arena.Allocate(1000), first);
  EXPECT_NE(arena.Allocate(1000), second);
  EXPECT_EQ(arena.touched_bytes(), 3 * 1024u + 2048);
}

TEST(RowArenaTest, FreeNeighboursAreJoinedAndWhatIsLeftOverStaysFree) {
  RowArena arena;
  char* const first = static_cast<char*>(arena.Allocate(1024));
  for (int i = 1; i < 4; ++i) ASSERT_EQ(arena.Allocate(1024), first + i * 1024);
  for (const int i : {0, 2, 1}) arena.Free(first + i * 1024, 1024);
  EXPECT_EQ(arena.Allocate(2560), first);
  EXPECT_EQ(arena.Allocate(512), first + 2560);
  EXPECT_EQ(arena.touched_bytes(), 4 * 1024u);
  EXPECT_EQ(arena.used_bytes(), 4 * 1024u);
}

TEST(RowArenaTest, ManyThreadsGetMemoryOfTheirOwn) {
  RowArena arena;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&arena, t] {
      std::vector<char*> mine;
      for (int i = 0; i < 500; ++i) {
        mine.push_back(static_cast<char*>(arena.Allocate(256)));
        std::memset(mine.back(), t, 256);
        if (i % 3 == 0) {
          arena.Free(mine.back(), 256);
          mine.pop_back();
        }
      }
      for (const char* memory : mine) {
        for (int i = 0; i < 256; ++i) ASSERT_EQ(memory[i], t);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arena.used_bytes(), 4 * (500 - 167) * 256u);
}

}  // namespace
}  // namespace convoy
