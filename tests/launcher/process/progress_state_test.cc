#include "launcher/process/progress_state.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(ProgressStateTest, ATrainEventMovesTheStateOn) {
  ProgressState state;
  EventKind kind;
  ASSERT_TRUE(ApplyEvent(R"({"kind":"train","epoch":2.25,"step":1055,"examples":135000,"loss":0.5,)"
                         R"("accuracy":0.8,"examples_per_second":1000.5,)"
                         R"("staleness":{"min":0,"mean":1.5,"max":4}})",
                         &state, &kind)
                  .ok());
  EXPECT_EQ(kind, EventKind::kTrain);
  EXPECT_EQ(state.CurrentEpoch(), 3u);
  EXPECT_EQ(state.step, 1055u);
  EXPECT_EQ(state.examples, 135000u);
  EXPECT_EQ(state.train.loss, 0.5);
  EXPECT_EQ(state.train.accuracy, 0.8);
  EXPECT_EQ(state.train.rmse, std::nullopt);
  EXPECT_EQ(state.staleness, 1.5);
  EXPECT_EQ(state.examples_per_second, 1000.5);
}

TEST(ProgressStateTest, AValidationLeavesTheTrainingValuesAlone) {
  ProgressState state;
  state.train.loss = 0.5;
  EventKind kind;
  ASSERT_TRUE(ApplyEvent(R"({"kind":"validation","epoch":1,"loss":0.7})", &state, &kind).ok());
  EXPECT_EQ(kind, EventKind::kValidation);
  ASSERT_TRUE(ApplyEvent(R"({"kind":"validation_old","epoch":1,"loss":0.25})", &state, &kind).ok());
  EXPECT_EQ(kind, EventKind::kValidationOld);
  EXPECT_EQ(state.validation_old.loss, 0.25);
  EXPECT_EQ(state.validation.loss, 0.7);
  EXPECT_EQ(state.train.loss, 0.5);
}

TEST(ProgressStateTest, AnEventOfAnEarlierStepDoesNotMoveTheStateBack) {
  ProgressState state;
  EventKind kind;
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"train","epoch":2,"step":9,"examples":90})", &state, &kind).ok());
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"validation","epoch":1,"step":5,"examples":50})", &state, &kind).ok());
  EXPECT_EQ(state.step, 9u);
  EXPECT_EQ(state.examples, 90u);
  EXPECT_EQ(state.epoch, 2);
}

TEST(ProgressStateTest, ARestartMovesTheStateBackAndSaysWhy) {
  ProgressState state;
  EventKind kind;
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"train","step":90,"examples":900,"epoch":2.25})", &state, &kind).ok());
  ASSERT_TRUE(
      ApplyEvent(
          R"({"kind":"restart","step":50,"examples":500,"epoch":1.25,"checkpoint":"step-50",)"
          R"("restarts":2,"cause":"worker 1 was killed"})",
          &state, &kind)
          .ok());
  EXPECT_EQ(kind, EventKind::kNotice);
  EXPECT_EQ(state.step, 50u);
  EXPECT_EQ(state.examples, 500u);
  EXPECT_EQ(state.CurrentEpoch(), 2u);
  EXPECT_EQ(state.notice, "goes on from step 50, restart 2: worker 1 was killed");
  ASSERT_TRUE(ApplyEvent(R"({"kind":"restart","step":0,"examples":0,"restarts":3,"cause":"x"})",
                         &state, &kind)
                  .ok());
  EXPECT_EQ(state.notice, "begins anew, restart 3: x");
  EXPECT_EQ(state.CurrentEpoch(), 1u);
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"resume","step":60,"examples":600,"epoch":1.5})", &state, &kind).ok());
  EXPECT_EQ(state.epoch, 1.5);
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"divided","step":7,"workers":3,"workers_before":2})", &state, &kind)
          .ok());
  EXPECT_EQ(state.notice, "goes on with 3 workers instead of 2 at step 7");
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"divided","workers":2,"workers_before":2})", &state, &kind).ok());
  EXPECT_EQ(state.notice, "goes on with 2 workers, since the one that wanted to join has left");
}

TEST(ProgressStateTest, AFaultThatWasInjectedIsSaid) {
  ProgressState state;
  EventKind kind;
  ASSERT_TRUE(ApplyEvent(R"({"kind":"fault","step":203,"fault":"kill worker 1 at step 200"})",
                         &state, &kind)
                  .ok());
  EXPECT_EQ(kind, EventKind::kNotice);
  EXPECT_EQ(state.notice, "rehearsal: kill worker 1 at step 200: done at step 203");
}

TEST(ProgressStateTest, ALossThatIsNotFiniteIsUnset) {
  ProgressState state;
  state.train.loss = 0.5;
  EventKind kind;
  ASSERT_TRUE(ApplyEvent(R"({"kind":"train","loss":null})", &state, &kind).ok());
  EXPECT_EQ(state.train.loss, std::nullopt);
}

TEST(ProgressStateTest, WhatIsNoEventIsRefused) {
  ProgressState state;
  EventKind kind;
  for (const char* line : {"", "{", "[]", "{}", R"({"kind":3})", R"({"kind":"other"})"}) {
    EXPECT_EQ(ApplyEvent(line, &state, &kind).code(), absl::StatusCode::kInvalidArgument) << line;
  }
}

TEST(ProgressStateTest, ValuesOfAnotherTypeAreIgnored) {
  ProgressState state;
  EventKind kind;
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"train","epoch":"x","step":-1,"loss":[],"staleness":1})", &state, &kind)
          .ok());
  EXPECT_EQ(state.step, 0u);
  EXPECT_EQ(state.train.loss, std::nullopt);
  EXPECT_EQ(state.staleness, std::nullopt);
}

TEST(ProgressStateTest, TheLastEpochIsShownToTheEnd) {
  ProgressState state;
  state.epochs = 10;
  EXPECT_EQ(state.CurrentEpoch(), 1u);
  state.epoch = 10;
  EXPECT_EQ(state.CurrentEpoch(), 10u);
  state.epoch = 10.01;
  EXPECT_EQ(state.CurrentEpoch(), 10u);
}

TEST(ProgressStateTest, TimeLeftNeedsATotalAndASpeed) {
  ProgressState state;
  EXPECT_EQ(state.SecondsLeft(), std::nullopt);
  state.total_examples = 1000;
  EXPECT_EQ(state.SecondsLeft(), std::nullopt);
  state.examples_per_second = 50;
  state.examples = 400;
  EXPECT_EQ(state.SecondsLeft(), 12.0);  // 600 / 50
  EXPECT_EQ(state.Fraction(), 0.4);
  state.examples = 2000;
  EXPECT_EQ(state.SecondsLeft(), 0.0);
  EXPECT_EQ(state.Fraction(), 1.0);
}

}  // namespace
}  // namespace convoy
