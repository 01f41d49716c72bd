#include "launcher/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launcher/report/sample_run.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeRun;

Target Accuracy(double value) { return {"validation", "accuracy", value, true}; }

TEST(SpreadTest, IsTheMedianBetweenTheEnds) {
  EXPECT_FALSE(SpreadOf({}));
  EXPECT_EQ(SpreadOf({3, 1, 2})->median, 2);
  EXPECT_EQ(SpreadOf({4, 1, 2, 3})->median, 2.5);
  EXPECT_EQ(SpreadOf({3, 1, 2})->low, 1);
  EXPECT_EQ(SpreadOf({3, 1, 2})->high, 3);
}

TEST(OrderTest, TellsApartOnlyRangesThatDoNotOverlap) {
  EXPECT_EQ(OrderOf({2, 1, 3, 3}, {5, 4, 6, 3}), Order::kLess);
  EXPECT_EQ(OrderOf({5, 4, 6, 3}, {2, 1, 3, 3}), Order::kGreater);
  EXPECT_EQ(OrderOf({2, 1, 4, 3}, {5, 4, 6, 3}), Order::kNotToldApart);
  EXPECT_EQ(OrderOf({1, 1, 1, 1}, {1.05, 1.05, 1.05, 1}), Order::kNotToldApart)
      << "single runs: more than a tenth";
  EXPECT_EQ(OrderOf({1, 1, 1, 1}, {1.2, 1.2, 1.2, 1}), Order::kLess);
}

TEST(ComparisonTest, RunsThatDifferInTheirSeedAreOneMode) {
  const Comparison all = CompareRuns(
      {MakeRun({.mode = "sync", .seed = 1}), MakeRun({.mode = "async", .seed = 1, .speed = 2000}),
       MakeRun({.mode = "sync", .seed = 2, .speed = 500}),
       MakeRun({.mode = "async", .seed = 2, .speed = 2000})},
      Accuracy(0.8));
  ASSERT_EQ(all.modes.size(), 2u);
  EXPECT_EQ(all.modes[0].name, "sync");
  EXPECT_THAT(all.modes[0].runs, ElementsAre(0, 2));
  EXPECT_EQ(all.modes[0].seconds->median, 3);  // 2 s and 4 s
  EXPECT_EQ(all.modes[0].examples->high, 2000);
  EXPECT_EQ(all.modes[1].seconds->median, 1);
  EXPECT_EQ(all.metric, "accuracy");
  ASSERT_EQ(all.modes[0].workers.size(), 2u);
  EXPECT_EQ(all.modes[0].workers[0].waited, 6) << "mean over the runs";
}

TEST(ComparisonTest, AModeIsJudgedAtTheRateThatMeetsTheTargetFirstWithTheFirstSeed) {
  const Comparison all = CompareRuns({MakeRun({.rate = 0.1, .accuracies = {0.5, 0.6, 0.7}}),
                                      MakeRun({.rate = 0.3, .accuracies = {0.5, 0.8, 0.7}}),
                                      MakeRun({.rate = 1, .accuracies = {0.1, 0.1, 0.1}})},
                                     Accuracy(0.75));
  ASSERT_EQ(all.modes.size(), 3u);
  EXPECT_FALSE(all.modes[0].judged);
  EXPECT_TRUE(all.modes[1].judged);
  EXPECT_FALSE(all.modes[2].judged);
  EXPECT_EQ(all.Find("sync")->learning_rate, 0.3);
}

TEST(ComparisonTest, WithoutATargetTheLastValueDecides) {
  const Comparison all = CompareRuns(
      {MakeRun({.rate = 0.1, .accuracies = {0.9}}), MakeRun({.rate = 0.3, .accuracies = {0.8}})},
      std::nullopt);
  EXPECT_EQ(all.Find("sync")->learning_rate, 0.1);
}

TEST(ComparisonTest, AFailedRunIsKeptApartAndLosesASweep) {
  const Comparison all = CompareRuns(
      {MakeRun({.rate = 1, .accuracies = {0.99}, .failure = "not finite"}), MakeRun({.rate = 0.1})},
      Accuracy(0.8));
  EXPECT_THAT(all.modes[0].runs, IsEmpty());
  EXPECT_THAT(all.modes[0].failed, ElementsAre(0));
  EXPECT_FALSE(all.modes[0].judged);
  EXPECT_TRUE(all.modes[1].judged);
}

TEST(ComparisonTest, NamesSayWhatElseDiffers) {
  const Comparison all = CompareRuns({MakeRun({.mode = "single"}), MakeRun({.mode = "sync"}),
                                      MakeRun({.mode = "sync", .slow_worker = "1=3x"})},
                                     std::nullopt);
  ASSERT_EQ(all.modes.size(), 3u);
  EXPECT_EQ(all.modes[0].name, "single") << "has no cluster to rehearse with";
  EXPECT_EQ(all.modes[1].name, "sync · no rehearsal");
  EXPECT_EQ(all.modes[2].name, "sync · 1=3x");
}

TEST(ComparisonTest, TellsAStragglerThatStaysFromOneThatPasses) {
  const Comparison stays = CompareRuns({MakeRun({.slow_worker = "1=3x"})}, std::nullopt);
  EXPECT_TRUE(stays.has_straggler && stays.straggler_stays);
  EXPECT_THAT(stays.rehearsal, ElementsAre("worker 1 is 3 times slower all the time"));
  const Comparison passes =
      CompareRuns({MakeRun({.slow_worker = "any=3x@10%", .link = "1gbit"})}, std::nullopt);
  EXPECT_TRUE(passes.has_straggler && !passes.straggler_stays && passes.has_link);
}

TEST(ComparisonTest, RunsOfDifferentLengthAndDamagedLinesAreNoted) {
  RunRecord damaged = MakeRun({.accuracies = {0.5}});
  damaged.damaged_lines = 2;
  damaged.first_damage = "line 7 is not a JSON object";
  const Comparison all = CompareRuns({MakeRun({}), damaged}, std::nullopt);
  EXPECT_THAT(
      all.notes,
      ElementsAre(HasSubstr("did not see equally many examples (1000 to 3000)"),
                  HasSubstr("2 lines are damaged and left out; line 7 is not a JSON object")));
}

}  // namespace
}  // namespace convoy
