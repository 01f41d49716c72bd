#include "ps/table/row_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "ps/table/row_clock.h"
#include "ps/table/row_limits.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A bucket of rows of one column, as TableBucket drives it.
class Bucket {
 public:
  explicit Bucket(const RowLife& life) : state_(life) {}

  // An update at the next step of rows with ids ascending; which of them have a row after it.
  std::vector<uint64_t> Update(const std::vector<uint64_t>& ids, uint32_t sightings = 1) {
    ++now_.step;
    const std::vector<uint32_t> seen(ids.size(), sightings);
    state_.MakeRoom(now_, ids, seen, &rows_,
                    [this](const Row& row) { removed_.push_back(row.header->id()); });
    std::vector<uint64_t> there;
    for (const uint64_t id : ids) {
      if (!rows_.Find(id) && !state_.Admit(id, sightings, now_, rows_.size())) continue;
      bool inserted;
      RowHeader& header = *rows_.FindOrInsert(id, &inserted).header;
      header.last_step = static_cast<uint32_t>(std::min<uint64_t>(now_.step, UINT32_MAX));
      header.last_second = now_.second & RowClock::kMaxSeconds;
      there.push_back(id);
    }
    state_.LimitCandidates();
    return there;
  }
  void Pass(uint32_t seconds) { now_.second += seconds; }
  void PassSteps(uint64_t steps) { now_.step += steps; }
  std::vector<uint64_t> Rows() {
    std::vector<uint64_t> ids;
    rows_.ForEachById([&](const Row& row) { ids.push_back(row.header->id()); });
    return ids;
  }
  std::vector<uint64_t> TakeRemoved() { return std::exchange(removed_, {}); }
  RowCounts counts() const { return state_.Counts(rows_); }

 private:
  RowArena arena_;
  RowStore rows_{RowLayout{1, 0}, &arena_};
  RowLifeState state_;
  RowTime now_;
  std::vector<uint64_t> removed_;
};

TEST(RowLifeTest, WithoutLimitsEveryIdGetsARowAtOnce) {
  Bucket bucket({});
  EXPECT_THAT(bucket.Update({1, 2}), ElementsAre(1, 2));
  EXPECT_EQ(bucket.counts().admitted, 2u);
}

TEST(RowLifeTest, AnIdIsAdmittedAfterAsManySightings) {
  Bucket bucket({.admit_after = 3});
  EXPECT_THAT(bucket.Update({1}), IsEmpty());
  EXPECT_THAT(bucket.Update({2}), IsEmpty());
  EXPECT_THAT(bucket.Update({1}), IsEmpty());
  EXPECT_EQ(bucket.counts().waiting, 2u);
  EXPECT_THAT(bucket.Update({1, 2}), ElementsAre(1)) << "the third of 1, the second of 2";
  EXPECT_THAT(bucket.Update({1, 2}), ElementsAre(1, 2));
  EXPECT_EQ(bucket.counts().waiting, 0u);
  EXPECT_THAT(bucket.Update({5}, /*sightings=*/3), ElementsAre(5)) << "three slices in one step";
}

TEST(RowLifeTest, ARowGoesWhenItWasNotUpdatedForSoManySteps) {
  Bucket bucket({.expire_after = 4});
  bucket.Update({1, 2});
  for (int step = 2; step <= 5; ++step) bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2)) << "4 steps ago";
  bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(2));
  EXPECT_THAT(bucket.TakeRemoved(), ElementsAre(1)) << "told before it went";
  EXPECT_EQ(bucket.counts().expired, 1u);
}

TEST(RowLifeTest, StepsAtWhichOldRowsGoAreEightInTheirLife) {
  const RowLifeState state({.expire_after = 40}), never({.expire_after_seconds = 40});
  for (const uint64_t step : {5u, 40u, 100u}) EXPECT_TRUE(state.ExpiresAt(step)) << step;
  for (const uint64_t step : {1u, 4u, 6u, 41u}) EXPECT_FALSE(state.ExpiresAt(step)) << step;
  EXPECT_FALSE(never.ExpiresAt(40));
}

TEST(RowLifeTest, ARowGoesWhenItWasNotUpdatedForSoManySeconds) {
  Bucket bucket({.expire_after_seconds = 4});
  bucket.Update({1, 2});
  for (int step = 0; step < 100; ++step) bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2)) << "steps do not count";
  bucket.Pass(4);
  bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2)) << "4 seconds ago";
  bucket.Pass(1);
  bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(2));
  EXPECT_THAT(bucket.TakeRemoved(), ElementsAre(1)) << "told before it went";
  EXPECT_EQ(bucket.counts().expired, 1u);
}

TEST(RowLifeTest, ABucketIsSearchedForOldRowsEightTimesInTheirLife) {
  Bucket bucket({.expire_after_seconds = 80});
  bucket.Update({1});
  bucket.Pass(75);
  bucket.Update({2});
  bucket.Pass(6);
  bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2)) << "81 seconds old, but searched 6 seconds ago";
  bucket.Pass(4);
  bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(2));
}

TEST(RowLifeTest, IdsThatWaitForAdmissionAreForgottenAfterTheSameTime) {
  Bucket bucket({.admit_after = 2, .expire_after_seconds = 4});
  bucket.Update({1});
  bucket.Pass(5);
  EXPECT_THAT(bucket.Update({1}), IsEmpty()) << "the first sighting is forgotten";
  EXPECT_THAT(bucket.Update({1}), ElementsAre(1));
}

TEST(RowLifeTest, AFullBucketRefusesNewIdsAndKeepsTheOld) {
  Bucket bucket({.max_rows = 2});
  bucket.Update({1, 2});
  EXPECT_THAT(bucket.Update({2, 3}), ElementsAre(2));
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2));
  EXPECT_EQ(bucket.counts().refused, 1u);
}

TEST(RowLifeTest, AFullBucketEvictsTheRowsUpdatedLongestAgoTiesById) {
  Bucket bucket({.max_rows = 3, .when_full = RowLife::WhenFull::kEvictOldest});
  bucket.Update({3, 7, 9});
  bucket.Update({7});
  EXPECT_THAT(bucket.Update({5}), ElementsAre(5));
  EXPECT_THAT(bucket.TakeRemoved(), ElementsAre(3)) << "3 and 9 are as old, 3 is the smaller id";
  EXPECT_THAT(bucket.Update({1, 2}), ElementsAre(1, 2));
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2, 5));
  EXPECT_EQ(bucket.counts().evicted, 3u);
}

TEST(RowLifeTest, RowsOfTheStepItselfAreNotEvictedAndTheRestIsRefused) {
  Bucket bucket({.max_rows = 2, .when_full = RowLife::WhenFull::kEvictOldest});
  bucket.Update({1, 2});
  EXPECT_THAT(bucket.Update({1, 3, 4}), ElementsAre(1, 3));
  EXPECT_EQ(bucket.counts().refused, 1u);
}

TEST(RowLifeTest, IdsThatAreNotAdmittedYetEvictNothing) {
  Bucket bucket({.admit_after = 3, .max_rows = 4, .when_full = RowLife::WhenFull::kEvictOldest});
  bucket.Update({1, 2, 3, 4}, /*sightings=*/3);
  EXPECT_THAT(bucket.Update({1, 5, 6, 7}), ElementsAre(1)) << "the first time of 5, 6, 7";
  EXPECT_THAT(bucket.Update({5}), IsEmpty());
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(bucket.TakeRemoved(), IsEmpty());
  EXPECT_THAT(bucket.Update({5, 6}), ElementsAre(5)) << "the third of 5, the second of 6";
  EXPECT_THAT(bucket.TakeRemoved(), ElementsAre(2)) << "for 5 alone";
  EXPECT_THAT(bucket.Update({6, 8}, /*sightings=*/3), ElementsAre(6, 8));
  EXPECT_THAT(bucket.TakeRemoved(), UnorderedElementsAre(3, 4)) << "all slices of the step count";
}

// What waits is limited once all ids of the update have had their turn.
TEST(RowLifeTest, AnIdForWhichARowHasGoneGetsItsRow) {
  Bucket bucket({.admit_after = 2, .max_rows = 2, .when_full = RowLife::WhenFull::kEvictOldest});
  bucket.Update({10, 20}, /*sightings=*/2);
  bucket.Update({100});
  bucket.Update({101});
  EXPECT_THAT(bucket.Update({50, 100}), ElementsAre(100));
  EXPECT_THAT(bucket.Rows(), ElementsAre(20, 100));
  EXPECT_LE(bucket.counts().waiting, 2u);
}

TEST(RowLifeTest, IdsThatGetNoRowWaitWithinTheLimitsToo) {
  Bucket bucket({.admit_after = 2, .max_rows = 4});
  for (uint64_t step = 0; step < 100; ++step) {
    bucket.Update({step * 3, step * 3 + 1, step * 3 + 2}, /*sightings=*/2);
    ASSERT_LE(bucket.counts().waiting, 4u);
  }
}

TEST(RowLifeTest, StepsThatCanNotBeCountedAnyMoreMakeNoRowOld) {
  Bucket bucket({.expire_after = 8});
  bucket.PassSteps(uint64_t{1} << 33);
  bucket.Update({1});
  for (int step = 0; step < 6; ++step) bucket.Update({2});
  EXPECT_THAT(bucket.Rows(), ElementsAre(1, 2));
}

TEST(RowLifeTest, AnEndlessStreamOfNewIdsStaysWithinTheLimits) {
  for (const auto when_full : {RowLife::WhenFull::kRefuse, RowLife::WhenFull::kEvictOldest}) {
    Bucket bucket({.admit_after = 2, .max_rows = 100, .when_full = when_full});
    uint64_t most = 0;
    for (uint64_t step = 0; step < 5000; ++step) {
      std::vector<uint64_t> ids;
      for (uint64_t i = 0; i < 7; ++i)
        ids.push_back(step * 5 + i);  // two of them again in the next step
      bucket.Update(ids);
      most = std::max(most, bucket.counts().bytes);
      ASSERT_LE(bucket.counts().rows, 100u);
      ASSERT_LE(bucket.counts().waiting, 101u);
    }
    EXPECT_LT(most, 30'000u);
    EXPECT_GE(bucket.counts().rows, 90u) << "a sixteenth goes at a time";
  }
}

// Rows of one column without slots, 4 bytes.
TEST(RowLifeTest, ABudgetOfMemoryHoldsWithTheIdsThatWaitForTheirRows) {
  for (const uint32_t admit_after : {1u, 3u}) {
    v1::TableRule rule;
    rule.set_max_mb(200);
    rule.set_admit_after(admit_after);
    rule.set_when_full(v1::TableRule::EVICT_OLDEST);
    const auto life = RowLifeFor({rule}, "rows", sizeof(float));
    ASSERT_TRUE(life.ok()) << life.status();
    Bucket bucket(*life);
    uint64_t most = 0;
    for (uint64_t step = 0; step < 4000; ++step) {
      std::vector<uint64_t> ids;  // each comes again in the next two steps
      for (uint64_t i = 0; i < 12; ++i) ids.push_back(step * 4 + i);
      bucket.Update(ids);
      std::vector<uint64_t> once;
      for (uint64_t i = 0; i < 20; ++i) once.push_back(1'000'000 + step * 20 + i);
      bucket.Update(once);
      most = std::max(most, bucket.counts().bytes);
    }
    EXPECT_LE(most, 200e6 / 1024) << "admitted after " << admit_after;
    EXPECT_GE(most, 100e6 / 1024) << "admitted after " << admit_after;
  }
}

}  // namespace
}  // namespace convoy
