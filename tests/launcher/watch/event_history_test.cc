#include "launcher/watch/event_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(EventHistoryTest, KeepsWhatPeopleWantToKnowAndTheNewestNumbers) {
  EventHistory history(/*epochs=*/2);
  history.Add(
      R"({"time":1,"kind":"train","step":10,"examples":100,"epoch":0.5,"loss":0.7,"examples_per_second":90})");
  history.Add(
      R"({"time":61.2,"kind":"validation","step":20,"examples":200,"epoch":1,"loss":0.4,"accuracy":0.75})");
  history.Add(R"({"time":62,"kind":"checkpoint","step":20,"examples":200,"bytes":3100000})");
  EXPECT_EQ(history.state().step, 20u);
  EXPECT_EQ(history.state().CurrentEpoch(), 1u);
  EXPECT_EQ(history.checkpoints(), 1u);
  EXPECT_EQ(history.newest_checkpoint(), 20u);
  EXPECT_EQ(history.seconds(), 62);
  EXPECT_THAT(history.lines(),
              ElementsAre("1:02  validation at step 20, loss 0.4000, accuracy 0.7500",
                          "1:02  checkpoint at step 20, 3.1 MB"));
}

TEST(EventHistoryTest, AResumeTakesBackLaterSteps) {
  EventHistory history;
  history.Add(R"({"time":9,"kind":"train","step":90,"examples":900,"epoch":0.9,"loss":0.7})");
  history.Add(
      R"({"time":0,"kind":"resume","generation":2,"step":50,"examples":500,"checkpoint":"checkpoints/step-50"})");
  EXPECT_EQ(history.state().step, 50u);
  EXPECT_EQ(history.state().examples, 500u);
  EXPECT_THAT(history.lines().back(), HasSubstr("goes on from step 50"));
}

TEST(EventHistoryTest, ALossThatIsNotFiniteIsNoticedAndForgottenWhenItIsAgain) {
  EventHistory history;
  history.Add(R"({"time":1,"kind":"train","step":1,"examples":1,"epoch":0.1,"loss":null})");
  EXPECT_TRUE(history.loss_is_broken());
  history.Add(R"({"time":2,"kind":"train","step":2,"examples":2,"epoch":0.2,"loss":1.5})");
  EXPECT_FALSE(history.loss_is_broken());
}

TEST(EventHistoryTest, ACheckpointThatFailedIsNamedUntilTheNextIsSaved) {
  EventHistory history;
  history.Add(R"({"time":1,"kind":"checkpoint_failed","generation":1,"error":"disk full"})");
  EXPECT_EQ(history.checkpoint_failure(), "disk full");
  history.Add(R"({"time":2,"kind":"checkpoint","step":5,"bytes":1})");
  EXPECT_EQ(history.checkpoint_failure(), "");
}

TEST(EventHistoryTest, DamagedLinesAreCountedAndOldOnesForgotten) {
  EventHistory history(/*kept=*/2);
  for (const char* line : {"{", "[]", R"({"kind":"other"})"}) history.Add(line);
  EXPECT_EQ(history.damaged(), 3u);
  for (int i = 0; i < 3; ++i) history.Add(R"({"time":1,"kind":"checkpoint","step":5,"bytes":1})");
  EXPECT_EQ(history.lines().size(), 2u);
  EXPECT_EQ(history.checkpoints(), 3u);
}

}  // namespace
}  // namespace convoy
