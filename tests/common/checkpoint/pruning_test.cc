#include "common/checkpoint/pruning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<uint64_t> kSteps = {100, 200, 300, 400, 500};

TEST(PruningTest, TheNewestAreKept) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 2}), ElementsAre(100, 200, 300));
}

TEST(PruningTest, MultiplesAreKeptToo) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 1, .keep_every = 200}), ElementsAre(100, 300));
}

TEST(PruningTest, GivenStepsAreKeptToo) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 1, .keep = {300, 7}}), ElementsAre(100, 200, 400));
}

TEST(PruningTest, WhatIsKeptKeepsItsBaseAndThatOnesBase) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 1, .bases = {{500, 400}, {400, 200}, {300, 200}}}),
              ElementsAre(100, 300));
}

TEST(PruningTest, NothingGoesWhileThereAreNotMoreThanTheNewest) {
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 5}), IsEmpty());
  EXPECT_THAT(StepsToPrune(kSteps, {.keep_last = 99}), IsEmpty());
  EXPECT_THAT(StepsToPrune({}, {.keep_last = 1}), IsEmpty());
}

TEST(PruningTest, StepZeroIsAMultipleOfEverything) {
  EXPECT_THAT(StepsToPrune(std::vector<uint64_t>{0, 5, 10}, {.keep_last = 1, .keep_every = 10}),
              ElementsAre(5));
}

}  // namespace
}  // namespace convoy
