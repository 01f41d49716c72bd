#include "common/rehearsal/slow_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::HasSubstr;

SlowWorkerRule Rule(std::string_view text) {
  const absl::StatusOr<SlowWorkerRule> rule = ParseSlowWorkerRule(text);
  EXPECT_TRUE(rule.ok()) << rule.status();
  return rule.value_or(SlowWorkerRule());
}

std::string ErrorOf(std::string_view text) {
  return std::string(ParseSlowWorkerRule(text).status().message());
}

TEST(SlowWorkerRuleTest, NamesAWorkerAFactorAndAShareInStretches) {
  EXPECT_EQ(Rule("1=3x"), (SlowWorkerRule{1, 3, 1, 2}));
  EXPECT_EQ(Rule("any=2.5x@10%"), (SlowWorkerRule{std::nullopt, 2.5, 0.1, 2}));
  EXPECT_EQ(Rule("0=4x@50%/8"), (SlowWorkerRule{0, 4, 0.5, 8}));
}

TEST(SlowWorkerRuleTest, ItsTextReadsBackAsTheSame) {
  for (const char* text : {"1=3x", "any=2.5x@10%/2", "0=4x@50%/8"})
    EXPECT_EQ(ToString(Rule(text)), text);
}

TEST(SlowWorkerRuleTest, SaysForPeopleWhoIsSlowAndWhen) {
  EXPECT_EQ(Describe(Rule("1=3x")), "worker 1 is 3 times slower all the time");
  EXPECT_EQ(Describe(Rule("any=3x@10%")),
            "each worker is 3 times slower in 10 % of its batches, 2 in a row");
}

TEST(SlowWorkerRuleTest, WhatIsNoRuleIsNamedWithWhatIsMissing) {
  EXPECT_THAT(ErrorOf("3x"), HasSubstr("there is no \"=\""));
  EXPECT_THAT(ErrorOf("one=3x"), HasSubstr("WORKER must be a rank or any"));
  EXPECT_THAT(ErrorOf("-1=3x"), HasSubstr("WORKER must be a rank or any"));
  EXPECT_THAT(ErrorOf("1=3"), HasSubstr("FACTOR ends with x"));
  EXPECT_THAT(ErrorOf("1=1x"), HasSubstr("FACTOR must be a number > 1"));
  EXPECT_THAT(ErrorOf("1=nanx"), HasSubstr("FACTOR must be a number > 1"));
  EXPECT_THAT(ErrorOf("1=1e9x"), HasSubstr("at most 1000"));
  EXPECT_THAT(ErrorOf("any=3x"), HasSubstr("any needs a share"));
  EXPECT_THAT(ErrorOf("any=3x@10"), HasSubstr("SHARE ends with %"));
  EXPECT_THAT(ErrorOf("any=3x@0%"), HasSubstr("SHARE must be a number > 0"));
  EXPECT_THAT(ErrorOf("any=3x@101%"), HasSubstr("at most 100"));
  EXPECT_THAT(ErrorOf("any=3x@10%/0"), HasSubstr("BATCHES must be a whole number"));
  EXPECT_THAT(ErrorOf("1=3x/4"), HasSubstr("goes with @SHARE%"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("want WORKER=FACTORx"));
}

TEST(SlownessTest, AConstantStragglerIsSlowInEachBatchAndTheOthersInNone) {
  const Slowness slow({Rule("1=3x")}, 7, 1), fast({Rule("1=3x")}, 7, 0);
  EXPECT_TRUE(slow.any());
  EXPECT_FALSE(fast.any());
  for (uint64_t batch = 0; batch < 100; ++batch) {
    EXPECT_EQ(slow.FactorOf(batch), 3);
    EXPECT_EQ(fast.FactorOf(batch), 1);
  }
}

TEST(SlownessTest, APassingStragglerIsSlowInItsShareOfStretchesThatDifferByWorkerAndSeed) {
  const std::vector<SlowWorkerRule> rules = {Rule("any=3x@10%/4")};
  const Slowness first(rules, 1, 0), again(rules, 1, 0), other(rules, 1, 1), seed(rules, 2, 0);
  constexpr int kBatches = 40000;
  int slow = 0, differ_by_worker = 0, differ_by_seed = 0;
  for (uint64_t batch = 0; batch < kBatches; ++batch) {
    EXPECT_EQ(first.FactorOf(batch), again.FactorOf(batch));
    EXPECT_EQ(first.FactorOf(batch), first.FactorOf(batch / 4 * 4)) << "in stretches of 4";
    slow += first.FactorOf(batch) > 1;
    differ_by_worker += first.FactorOf(batch) != other.FactorOf(batch);
    differ_by_seed += first.FactorOf(batch) != seed.FactorOf(batch);
  }
  // 10,000 stretches, each slow with probability 0.1: deviation 30.
  EXPECT_NEAR(slow / 4, 1000, 150);
  EXPECT_GT(differ_by_worker, 0);
  EXPECT_GT(differ_by_seed, 0);
}

TEST(SlownessTest, OfSeveralRulesTheLargestFactorCounts) {
  const Slowness slow({Rule("0=2x"), Rule("0=5x@100%")}, 1, 0);
  EXPECT_EQ(slow.FactorOf(0), 5);
}

}  // namespace
}  // namespace convoy
