#include "launcher/process/progress_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Half of ten epochs of 60,000 examples.
ProgressState HalfWay() {
  ProgressState state;
  state.epochs = 10;
  state.total_examples = 600'000;
  state.epoch = 4.5;
  state.step = 2345;
  state.examples = 300'000;
  state.examples_per_second = 48'000;
  state.train = {.loss = 0.31214, .accuracy = 0.89124, .rmse = {}};
  return state;
}

TEST(ProgressLineTest, AWideTerminalShowsEverything) {
  EXPECT_EQ(RenderTerminalLine(HalfWay(), 120, false),
            "[===============>              ]  50%  epoch 5/10  loss 0.3121  accuracy 0.8912  "
            "48k examples/s  0:07 left");
}

TEST(ProgressLineTest, NoWidthIsExceeded) {
  ProgressState state = HalfWay();
  state.validation.accuracy = 0.9;
  state.staleness = 3;
  for (int width = 0; width < 200; ++width) {
    for (const char* waiting : {"", "worker 3, last seen at step 412, 8 s ago"}) {
      state.waiting_for = waiting;
      EXPECT_LE(static_cast<int>(RenderTerminalLine(state, width, false).size()),
                std::max(width - 1, 0));
    }
  }
}

TEST(ProgressLineTest, WhatMattersLeastIsLeftOutFirst) {
  EXPECT_THAT(RenderTerminalLine(HalfWay(), 60, false), HasSubstr("accuracy 0.8912  0:07 left"));
  EXPECT_EQ(RenderTerminalLine(HalfWay(), 40, false), " 50%  epoch 5/10  loss 0.3121");
  EXPECT_EQ(RenderTerminalLine(HalfWay(), 6, false), " 50%");
}

TEST(ProgressLineTest, WhatTheJobWaitsForStaysInView) {
  ProgressState state = HalfWay();
  state.waiting_for = "worker 3";
  EXPECT_THAT(RenderTerminalLine(state, 30, false), HasSubstr("waiting for worker 3"));
  EXPECT_EQ(RenderTerminalLine(state, 20, false), " 50%  waiting for w");
}

TEST(ProgressLineTest, TheBarIsEmptyAtFirstAndFullAtTheEnd) {
  ProgressState state;
  state.epochs = 1;
  state.total_examples = 100;
  EXPECT_THAT(RenderTerminalLine(state, 100, false),
              StartsWith("[>                             ]   0%"));
  state.examples = 99;
  EXPECT_THAT(RenderTerminalLine(state, 100, false),
              StartsWith("[=============================>]  99%"));
  state.examples = 100;
  EXPECT_THAT(RenderTerminalLine(state, 100, false),
              StartsWith("[==============================] 100%"));
}

TEST(ProgressLineTest, ColorDoesNotChangeTheText) {
  const std::string colored = RenderTerminalLine(HalfWay(), 120, true);
  EXPECT_THAT(colored, HasSubstr("\033[32m"));
  EXPECT_EQ(absl::StrReplaceAll(colored, {{"\033[32m", ""}, {"\033[0m", ""}}),
            RenderTerminalLine(HalfWay(), 120, false));
}

TEST(ProgressLineTest, RegressionShowsItsError) {
  ProgressState state = HalfWay();
  state.train = {.loss = 4.0, .accuracy = {}, .rmse = 2.0};
  EXPECT_THAT(RenderTerminalLine(state, 120, false), HasSubstr("rmse 2.0000"));
  EXPECT_THAT(RenderTerminalLine(state, 120, false), Not(HasSubstr("accuracy")));
}

TEST(ProgressLineTest, APlainLineIsComplete) {
  ProgressState state = HalfWay();
  state.staleness = 1.25;
  EXPECT_EQ(RenderTrainLine(state),
            "epoch 5/10, step 2345, 300000 of 600000 examples, loss 0.3121, accuracy 0.8912, "
            "48000 examples/s, staleness 1.2, 0:07 left");
}

TEST(ProgressLineTest, MetricsOfTheModelItselfAreShown) {
  ProgressState state;
  EventKind kind;
  ASSERT_TRUE(
      ApplyEvent(R"({"kind":"train","loss":1,"own":{"mine":0.5,"bad":null}})", &state, &kind).ok());
  EXPECT_THAT(RenderTrainLine(state), HasSubstr(", loss 1.0000, mine 0.5000"));
  EXPECT_THAT(RenderTerminalLine(state, 200, false), HasSubstr("mine 0.5000"));
  EXPECT_THAT(RenderTrainLine(state), ::testing::Not(HasSubstr("bad")));
}

TEST(ProgressLineTest, AValidationLineHasTheValidationsValues) {
  ProgressState state = HalfWay();
  state.validation = {.loss = 0.35, .accuracy = 0.88, .rmse = {}};
  EXPECT_EQ(RenderValidationLine(state),
            "epoch 5/10, step 2345, validation, loss 0.3500, accuracy 0.8800");
}

TEST(ProgressLineTest, TimesAreRoundedUp) {
  EXPECT_EQ(FormatSeconds(0), "0:00");
  EXPECT_EQ(FormatSeconds(6.2), "0:07");
  EXPECT_EQ(FormatSeconds(754), "12:34");
  EXPECT_EQ(FormatSeconds(3723), "1:02:03");
  EXPECT_EQ(FormatSeconds(1e30), "999:59:59");
}

}  // namespace
}  // namespace convoy
