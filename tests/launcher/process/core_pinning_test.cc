#include "launcher/process/core_pinning.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <set>
#include <thread>

namespace convoy {
namespace {

std::set<int> CoresOfThisThread() {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  std::set<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.insert(core);
  }
  return cores;
}

// On a thread of its own: the test's keeps all cores.
std::set<int> CoresWhenPinnedTo(uint32_t index, uint32_t count = 1) {
  std::set<int> own, inherited;
  std::thread([&] {
    EXPECT_TRUE(PinToCores(index, count).ok());
    own = CoresOfThisThread();
    std::thread([&] { inherited = CoresOfThisThread(); }).join();
  }).join();
  EXPECT_EQ(own, inherited);
  return own;
}

TEST(CorePinningTest, ProcessesTakeTheUsableCoresInTurn) {
  const std::set<int> usable = CoresOfThisThread();
  uint32_t index = 0;
  for (const int core : usable) EXPECT_EQ(CoresWhenPinnedTo(index++), std::set<int>{core});
  EXPECT_EQ(CoresWhenPinnedTo(index), std::set<int>{*usable.begin()});
}

TEST(CorePinningTest, AProcessOfSeveralThreadsGetsAsManyCores) {
  const std::set<int> usable = CoresOfThisThread();
  const auto all = static_cast<uint32_t>(usable.size());
  EXPECT_EQ(CoresWhenPinnedTo(all - 1, 2), (std::set<int>{*usable.begin(), *usable.rbegin()}));
  EXPECT_EQ(CoresWhenPinnedTo(1, all + 1), usable);
}

}  // namespace
}  // namespace convoy
