#include "launcher/process/progress_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr absl::Time kStart = absl::UnixEpoch();

std::string Train(int step, double epoch) {
  return absl::StrCat(R"({"kind":"train","step":)", step, R"(,"epoch":)", epoch, R"(,"examples":)",
                      step * 10, R"(,"loss":0.5})");
}

class ProgressDisplayTest : public ::testing::Test {
 protected:
  ProgressDisplay::Options Options(bool terminal) {
    ProgressDisplay::Options options;
    options.terminal = terminal;
    options.width = [this] { return width_; };
    options.write = [this](std::string_view text) { written_ += text; };
    return options;
  }
  // What was written since the last call.
  std::string Written() { return std::exchange(written_, ""); }

  int width_ = 80;
  std::string written_;
};

TEST_F(ProgressDisplayTest, PlainLinesAreNotMoreFrequentThanTheInterval) {
  ProgressDisplay display(Options(false));
  display.SetTotals(3, 3000);
  ASSERT_TRUE(display.AddEvent(Train(1, 0.1), kStart).ok());
  EXPECT_EQ(Written(), "epoch 1/3, step 1, 10 of 3000 examples, loss 0.5000\n");
  ASSERT_TRUE(display.AddEvent(Train(2, 0.2), kStart + absl::Seconds(4.9)).ok());
  EXPECT_EQ(Written(), "");
  ASSERT_TRUE(display.AddEvent(Train(3, 0.3), kStart + absl::Seconds(5)).ok());
  EXPECT_THAT(Written(), HasSubstr("step 3"));
}

TEST_F(ProgressDisplayTest, TheEndOfAnEpochIsShown) {
  ProgressDisplay display(Options(false));
  display.SetTotals(3, 3000);
  ASSERT_TRUE(display.AddEvent(Train(1, 0.9), kStart).ok());
  Written();
  ASSERT_TRUE(display.AddEvent(Train(2, 1.0), kStart + absl::Seconds(1)).ok());
  EXPECT_THAT(Written(), StartsWith("epoch 1/3, step 2"));
  ASSERT_TRUE(display.AddEvent(Train(3, 1.1), kStart + absl::Seconds(2)).ok());
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, OfManyShortEpochsSomeAreShownAndTheLast) {
  ProgressDisplay display(Options(false));
  display.SetTotals(100, 1000);
  std::string trained, validated;
  for (int epoch = 1; epoch <= 100; ++epoch) {  // 20 ms each
    const absl::Time now = kStart + epoch * absl::Milliseconds(20);
    ASSERT_TRUE(display.AddEvent(Train(epoch, epoch), now).ok());
    if (!Written().empty()) absl::StrAppend(&trained, epoch, " ");
    ASSERT_TRUE(display.AddEvent(R"({"kind":"validation","step":1,"accuracy":0.75})", now).ok());
    if (!Written().empty()) absl::StrAppend(&validated, epoch, " ");
  }
  EXPECT_EQ(trained, "1 26 51 76 100 ");
  EXPECT_EQ(validated, trained);
}

TEST_F(ProgressDisplayTest, AValidationIsShownWithItsEpoch) {
  ProgressDisplay display(Options(false));
  ASSERT_TRUE(display.AddEvent(Train(1, 0.5), kStart).ok());
  Written();
  ASSERT_TRUE(display.AddEvent(R"({"kind":"validation","step":1,"accuracy":0.75})", kStart).ok());
  EXPECT_EQ(Written(), "epoch 1, step 1, validation, accuracy 0.7500\n");
}

TEST_F(ProgressDisplayTest, OldDataAreShownWithEachValidationThatIs) {
  ProgressDisplay display(Options(false));
  const char* const validation = R"({"kind":"validation","step":0,"accuracy":0.25})";
  const char* const old = R"({"kind":"validation_old","step":0,"accuracy":0.75})";
  for (const char* event : {validation, old, validation, old}) {
    ASSERT_TRUE(display.AddEvent(event, kStart).ok());
  }
  EXPECT_EQ(Written(),
            "epoch 1, step 0, validation, accuracy 0.2500\n"
            "epoch 1, step 0, validation of old data, accuracy 0.7500\n");
}

TEST_F(ProgressDisplayTest, PlainOutputSaysWhatTheJobWaitsForIfItLasts) {
  ProgressDisplay display(Options(false));
  display.SetWaitingFor("server 1", kStart);
  display.Refresh(kStart);
  EXPECT_EQ(Written(), "");
  display.SetWaitingFor("server 1", kStart + absl::Seconds(2));
  display.Refresh(kStart + absl::Seconds(2));
  EXPECT_EQ(Written(), "waiting for server 1\n");
  display.SetWaitingFor("server 1", kStart + absl::Seconds(3));
  display.Refresh(kStart + absl::Seconds(3));
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, PlainOutputHasNoControlCharacters) {
  {
    ProgressDisplay display(Options(false));
    ASSERT_TRUE(display.AddEvent(Train(1, 1), kStart).ok());
    display.Refresh(kStart);
    display.Print("hello");
  }
  EXPECT_EQ(written_.find_first_of("\r\033"), std::string::npos);
  EXPECT_THAT(written_, EndsWith("hello\n"));
}

TEST_F(ProgressDisplayTest, ATerminalLineIsRedrawnAtTheWidthOfTheMoment) {
  ProgressDisplay display(Options(true));
  ASSERT_TRUE(display.AddEvent(Train(1, 0.5), kStart).ok());
  EXPECT_EQ(Written(), "");
  width_ = 20;
  display.Refresh(kStart);
  EXPECT_EQ(Written(), "\r\033[K  0%  epoch 1");
  display.Refresh(kStart + absl::Milliseconds(99));
  EXPECT_EQ(Written(), "");
  width_ = 8;
  display.Refresh(kStart + absl::Milliseconds(100));
  EXPECT_EQ(Written(), "\r\033[K  0%");
}

TEST_F(ProgressDisplayTest, PrintGoesAboveTheTerminalLine) {
  ProgressDisplay display(Options(true));
  display.Refresh(kStart);
  Written();
  display.Print("server 1 left");
  EXPECT_EQ(Written(), "\r\033[Kserver 1 left\n");
}

TEST_F(ProgressDisplayTest, FinishShowsTheLastStateOnce) {
  ProgressDisplay display(Options(true));
  width_ = 30;
  display.Refresh(kStart);
  ASSERT_TRUE(display.AddEvent(Train(7, 0.5), kStart).ok());
  Written();
  display.Finish();
  EXPECT_EQ(Written(), "\r\033[K  0%  epoch 1  loss 0.5000\n");
  display.Finish();
  EXPECT_EQ(Written(), "");
}

TEST_F(ProgressDisplayTest, AFileIsNoTerminal) {
  FILE* const file = std::tmpfile();
  const auto options = ProgressDisplay::OptionsFor(fileno(file), "xterm", nullptr);
  EXPECT_FALSE(options.terminal);
  EXPECT_FALSE(options.color);
  EXPECT_EQ(options.width(), 80);
  std::fclose(file);
}

TEST_F(ProgressDisplayTest, TheTestIsAlwaysShown) {
  ProgressDisplay display(Options(false));
  ASSERT_TRUE(
      display.AddEvent(R"({"kind":"test","step":9,"epoch":3,"loss":0.25,"accuracy":0.875})", kStart)
          .ok());
  EXPECT_EQ(Written(), "step 9, test, loss 0.2500, accuracy 0.8750\n");
}

}  // namespace
}  // namespace convoy
