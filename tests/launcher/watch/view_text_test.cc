#include "launcher/watch/view_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

RunView Example(size_t workers) {
  RunView view;
  view.directory = "runs/a";
  view.job = "clothes";
  view.mode = "async";
  view.live = true;
  view.state = "training";
  view.seconds = 12;
  view.progress.epochs = 4;
  view.progress.epoch = 1.5;
  view.progress.step = 150;
  view.progress.examples = 1500;
  view.progress.total_examples = 4000;
  view.progress.examples_per_second = 250;
  view.progress.train.loss = 0.25;
  view.total_steps = 400;
  view.warnings = {"worker 1 is slow"};
  for (size_t i = 0; i < workers; ++i) {
    ProcessView& worker = view.workers.emplace_back();
    worker.rank = static_cast<uint32_t>(i);
    worker.step = 75;
    worker.examples_per_second = 125;
    worker.waiting = 0.4;
    worker.memory_bytes = 82'000'000;
  }
  ProcessView& server = view.servers.emplace_back();
  server.server = true;
  server.received_per_second = 2e6;
  server.parked = 1;
  for (int i = 0; i < 50; ++i) view.events.push_back(absl::StrCat("event ", i));
  return view;
}

std::string Text(const RunView& view, const ViewTextOptions& options = {}) {
  return absl::StrJoin(RenderView(view, options), "\n");
}

TEST(ViewTextTest, SaysHowFarTheJobIsAndWhatEachProcessDoes) {
  const std::string text = Text(Example(2));
  EXPECT_THAT(text, StartsWith("clothes  async  runs/a\ntraining, epoch 2/4, step 150 of 400, 1500 "
                               "of 4000 examples, 37 %, "
                               "0:12 so far, 0:10 left\n"));
  EXPECT_THAT(text, HasSubstr("training    loss 0.2500"));
  EXPECT_THAT(text, HasSubstr("warning: worker 1 is slow"));
  EXPECT_THAT(text, HasSubstr("  worker  step  examples/s  waiting   memory\n"
                              "  0         75         125     40 %  82.0 MB\n"));
  EXPECT_THAT(text, HasSubstr("2.0 MB/s"));
  EXPECT_THAT(text, HasSubstr("event 49"));
}

TEST(ViewTextTest, ColumnsWithoutAnyValueAreLeftOut) {
  EXPECT_THAT(Text(Example(1)), Not(HasSubstr("staleness")));
  EXPECT_THAT(Text(Example(1)), Not(HasSubstr("rows")));
}

TEST(ViewTextTest, FitsAnyScreen) {
  for (const int height : {1, 2, 5, 10, 24, 60}) {
    for (const int width : {1, 10, 40, 80, 200}) {
      const std::vector<std::string> lines =
          RenderView(Example(40), {.width = width, .height = height});
      EXPECT_LE(lines.size(), static_cast<size_t>(height));
      for (const std::string& line : lines)
        EXPECT_LE(line.size(), static_cast<size_t>(std::max(1, width - 1)));
    }
  }
}

TEST(ViewTextTest, ASmallScreenShowsTheNewestEventsAndSaysHowManyWorkersThereAreBesides) {
  const std::vector<std::string> lines = RenderView(Example(40), {.width = 100, .height = 24});
  EXPECT_THAT(lines, Contains(HasSubstr("more")));
  EXPECT_THAT(lines.back(), HasSubstr("event 49"));
}

TEST(ViewTextTest, AScreenOfUsualSizeShowsAFewWorkersWhole) {
  const std::vector<std::string> lines = RenderView(Example(4), {.width = 100, .height = 24});
  EXPECT_THAT(lines, Not(Contains(HasSubstr("more"))));
  EXPECT_THAT(lines, SizeIs(24));
}

TEST(ViewTextTest, WhatOthersSayCannotMoveTheCursor) {
  RunView view = Example(1);
  view.workers[0].activity = "\033[2Jboo\n";
  EXPECT_THAT(Text(view), HasSubstr("?[2Jboo?"));
  EXPECT_EQ(ScreenText("gr\xc3\xbc\xc3\x9f"
                       "e",
                       4),
            "gr\xc3\xbc\xc3\x9f")
      << "characters, not bytes";
}

TEST(ViewTextTest, AnEndedRunShowsPeaksAndNoTimeLeft) {
  RunView view = Example(1);
  view.live = false;
  view.ended = true;
  view.state = "ended as planned";
  EXPECT_THAT(Text(view), HasSubstr("peak memory"));
  EXPECT_THAT(Text(view), HasSubstr("0:12 in all"));
  EXPECT_THAT(Text(view), Not(HasSubstr(" left")));
}

}  // namespace
}  // namespace convoy
