#include "worker/compute_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace convoy {
namespace {

TEST(ComputeThreadsTest, EveryPartRunsOnceInTheSameThreadInEveryRound) {
  const auto threads = *ComputeThreads::Start(3);
  std::vector<std::thread::id> first(3);
  // Written without a lock: what the parts wrote must be seen by the caller, and what it wrote by
  // them.
  std::vector<int> counts(3);
  for (int round = 0; round < 200; ++round) {
    const size_t parts = static_cast<size_t>(round) % 4;
    const std::vector<int> before = counts;
    ASSERT_TRUE(threads
                    ->Run(parts,
                          [&](size_t part) {
                            ++counts[part];
                            const std::thread::id self = std::this_thread::get_id();
                            if (first[part] == std::thread::id()) first[part] = self;
                            EXPECT_EQ(first[part], self);
                            return absl::OkStatus();
                          })
                    .ok());
    for (size_t part = 0; part < 3; ++part)
      EXPECT_EQ(counts[part], before[part] + (part < parts ? 1 : 0));
  }
  EXPECT_EQ(first[0], std::this_thread::get_id());
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 3u);
}

// Each part waits for the other: in turns they would never end.
TEST(ComputeThreadsTest, PartsRunAtTheSameTime) {
  const auto threads = *ComputeThreads::Start(2);
  std::atomic<int> here = 0;
  ASSERT_TRUE(threads
                  ->Run(2,
                        [&](size_t) {
                          ++here;
                          while (here < 2) std::this_thread::yield();
                          return absl::OkStatus();
                        })
                  .ok());
}

TEST(ComputeThreadsTest, TheErrorOfTheLowestPartIsReturnedWhenAllAreDone) {
  const auto threads = *ComputeThreads::Start(3);
  std::atomic<int> done = 0;
  const absl::Status status = threads->Run(3, [&](size_t part) {
    ++done;
    return part == 0 ? absl::OkStatus() : absl::DataLossError("part " + std::to_string(part));
  });
  EXPECT_EQ(status, absl::DataLossError("part 1"));
  EXPECT_EQ(done, 3);
  EXPECT_TRUE(
      threads->Run(3, [](size_t) { return absl::OkStatus(); }).ok());  // and it is forgotten
}

TEST(ComputeThreadsTest, WhatAPartThrowsIsAnErrorWhicheverThreadItIs) {
  const auto threads = *ComputeThreads::Start(2);
  for (const size_t thrower : {0, 1}) {
    const absl::Status status = threads->Run(2, [&](size_t part) {
      if (part == thrower) throw std::runtime_error("lost its table");
      return absl::OkStatus();
    });
    EXPECT_EQ(status, absl::InternalError("it threw std::runtime_error: lost its table"));
  }
}

TEST(ComputeThreadsTest, ThreadsThatNeverRanAreJoined) {
  EXPECT_TRUE(ComputeThreads::Start(64).ok());
  EXPECT_TRUE(ComputeThreads::Start(1).ok());
}

}  // namespace
}  // namespace convoy
