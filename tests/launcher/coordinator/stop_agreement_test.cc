#include "launcher/coordinator/stop_agreement.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(StopAgreementTest, ProposesTwoStepsAheadOfTheFastestWorker) {
  StopAgreement stop(/*sync=*/true, 2);
  stop.Update(0, 7, 0);
  stop.Update(1, 6, 0);
  EXPECT_EQ(stop.step(), 0u);
  EXPECT_TRUE(stop.Request());
  EXPECT_EQ(stop.step(), 9u);
  EXPECT_FALSE(stop.agreed());
}

TEST(StopAgreementTest, IsAgreedWhenAllHaveConfirmedTheSameStep) {
  StopAgreement stop(true, 2);
  stop.Request();
  EXPECT_FALSE(stop.Update(0, 1, 2));
  EXPECT_FALSE(stop.agreed());
  EXPECT_TRUE(stop.Update(1, 0, 2));
  EXPECT_TRUE(stop.agreed());
  EXPECT_EQ(stop.step(), 2u);
}

TEST(StopAgreementTest, AWorkerThatWasFasterMakesALaterStepNecessaryAndTheMarginDoubles) {
  StopAgreement stop(true, 2);
  stop.Request();
  stop.Update(0, 1, 2);
  EXPECT_TRUE(stop.Update(1, 5, 0));
  EXPECT_EQ(stop.step(), 5u + 4);
  EXPECT_TRUE(stop.Update(1, 9, 0));
  EXPECT_EQ(stop.step(), 9u + 8);
  EXPECT_FALSE(stop.Update(0, 1, 2));  // Confirms a proposal that no longer stands.
  EXPECT_FALSE(stop.agreed());
  stop.Update(0, 1, 17);
  stop.Update(1, 12, 17);
  EXPECT_TRUE(stop.agreed());
}

TEST(StopAgreementTest, AWorkerThatHasLeftNeedNotConfirm) {
  StopAgreement stop(true, 2);
  stop.Request();
  stop.Update(0, 1, 2);
  EXPECT_TRUE(stop.Leave(1));
  EXPECT_TRUE(stop.agreed());
}

TEST(StopAgreementTest, AnAgreedStepStays) {
  StopAgreement stop(true, 1);
  stop.Request();
  stop.Update(0, 1, 2);
  EXPECT_TRUE(stop.agreed());
  EXPECT_FALSE(stop.Request());
  EXPECT_FALSE(stop.Update(0, 1, 2));
  EXPECT_EQ(stop.step(), 2u);
}

TEST(StopAgreementTest, OtherModesStopWithoutAskingAnybody) {
  StopAgreement stop(/*sync=*/false, 2);
  stop.Update(0, 100, 0);
  EXPECT_TRUE(stop.Request());
  EXPECT_EQ(stop.step(), 1u);
  EXPECT_TRUE(stop.agreed());
}

TEST(StopAgreementTest, AStepThatNobodyHasBegunHoldsWhenAllHaveConfirmedIt) {
  StopAgreement stop(/*sync=*/true, 2);
  stop.Update(0, 9, 0);
  stop.Update(1, 9, 0);
  EXPECT_TRUE(stop.RequestAt(10));
  EXPECT_EQ(stop.step(), 10u);
  EXPECT_FALSE(stop.agreed());
  stop.Update(0, 9, 10);
  stop.Update(1, 9, 10);
  EXPECT_TRUE(stop.agreed());
  EXPECT_FALSE(stop.RequestAt(20));
}

TEST(StopAgreementTest, WorkersThatGoOnFromAStepDoNotStopBeforeIt) {
  StopAgreement stop(/*sync=*/true, 2, /*first=*/100);
  stop.Update(0, 0, 0);  // has begun none yet
  EXPECT_TRUE(stop.Request());
  EXPECT_EQ(stop.step(), 102u);
  stop.Update(0, 103, 0);
  EXPECT_EQ(stop.step(), 103u + 4);
}

TEST(StopAgreementTest, AStepThatWorkersGoOnFromCanBeTheLast) {
  StopAgreement stop(/*sync=*/true, 1, /*first=*/100);
  EXPECT_TRUE(stop.RequestAt(100));
  stop.Update(0, 0, 100);
  EXPECT_TRUE(stop.agreed());
  EXPECT_EQ(stop.step(), 100u);
}

TEST(StopAgreementTest, AStopCanMoveToAnEarlierStepWhichIsToBeConfirmedAnew) {
  StopAgreement stop(/*sync=*/true, 2);
  stop.Update(0, 9, 0);
  EXPECT_FALSE(stop.MoveUpTo(10)) << "none is wanted";
  stop.Request();
  stop.Update(0, 9, 11);
  stop.Update(1, 9, 11);
  ASSERT_TRUE(stop.agreed());
  EXPECT_TRUE(stop.MoveUpTo(10));
  EXPECT_EQ(stop.step(), 10u);
  EXPECT_FALSE(stop.agreed());
  stop.Update(0, 9, 10);
  EXPECT_TRUE(stop.Update(1, 9, 10));
  EXPECT_FALSE(stop.MoveUpTo(10)) << "it is there already";
}

}  // namespace
}  // namespace convoy
