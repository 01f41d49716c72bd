#include "ps/table/removed_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RemovedRowsTest, GivesWhatWentInTheSteps) {
  RemovedRows removed;
  removed.Add(9, 3, 100);
  removed.Add(5, 4, 100);
  removed.Add(2, 4, 100);
  removed.Add(7, 6, 100);
  EXPECT_THAT(removed.Between(0, 10), ElementsAre(2, 5, 7, 9));
  EXPECT_THAT(removed.Between(3, 4), ElementsAre(2, 5));
  EXPECT_THAT(removed.Between(6, 10), IsEmpty());
}

// A snapshot of step 5 must know the first time, whatever happened later.
TEST(RemovedRowsTest, AnIdThatWentTwiceIsKnownOfBothSteps) {
  RemovedRows removed;
  removed.Add(9, 4, 100);
  removed.Add(9, 8, 100);
  EXPECT_THAT(removed.Between(3, 5), ElementsAre(9));
  EXPECT_THAT(removed.Between(5, 8), ElementsAre(9));
  EXPECT_THAT(removed.Between(3, 8), ElementsAre(9));
}

TEST(RemovedRowsTest, WhatIsForgottenIsNotGiven) {
  RemovedRows removed;
  removed.Add(1, 2, 100);
  removed.Add(3, 5, 100);
  removed.Forget(2);
  EXPECT_THAT(removed.Between(0, 9), ElementsAre(3));
  EXPECT_TRUE(removed.KnowsSince(2));
}

TEST(RemovedRowsTest, NoMoreThanThereAreRowsAreRemembered) {
  RemovedRows removed;
  for (uint64_t id = 0; id < 101; ++id) removed.Add(id, 10 + id, 100);
  EXPECT_FALSE(removed.KnowsSince(109));
  EXPECT_TRUE(removed.KnowsSince(110)) << "all went by then";
  removed.Add(500, 111, 100);
  EXPECT_THAT(removed.Between(110, 200), ElementsAre(500));
}

}  // namespace
}  // namespace convoy
