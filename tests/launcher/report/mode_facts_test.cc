#include "launcher/report/mode_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launcher/report/sample_run.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

ModeFacts Facts(const char* mode) { return FactsOf(testing::MakeRun({.mode = mode})); }

// 1,000 examples, batch 100, 2 slices and workers: the table of docs/modes.md.
TEST(ModeFactsTest, FollowTheArithmeticOfTheModes) {
  EXPECT_EQ(Facts("sync").examples_per_update, 100);
  EXPECT_EQ(Facts("sync").updates_per_epoch, 10);
  EXPECT_EQ(Facts("single").updates_per_epoch, 10);
  EXPECT_EQ(Facts("sync,backup=1").examples_per_update, 50);
  EXPECT_EQ(Facts("sync,backup=1").updates_per_epoch, 10) << "half of the gradients are dropped";
  EXPECT_EQ(Facts("async").examples_per_update, 50);
  EXPECT_EQ(Facts("async").updates_per_epoch, 20);
  EXPECT_EQ(Facts("ssp:3").updates_per_epoch, 20);
  EXPECT_EQ(Facts("local_sgd:4").examples_per_update, 400);
  EXPECT_EQ(Facts("local_sgd:4").updates_per_epoch, 3);
  EXPECT_EQ(Facts("geo:4").examples_per_update, 200);
  EXPECT_EQ(Facts("geo:4").updates_per_epoch, 5);
}

TEST(ModeFactsTest, StateTheAgeOfWeightsAndTheRuleForTheRate) {
  EXPECT_EQ(Facts("sync").weights_behind, "0");
  EXPECT_EQ(Facts("ssp:3").weights_behind, "at most about 7 updates");
  EXPECT_EQ(Facts("geo:4").weights_behind, "about 4 local steps of others");
  EXPECT_THAT(Facts("async").rate_rule, HasSubstr("begin with rate / 2"));
  EXPECT_THAT(Facts("async,scale_by_staleness").rate_rule, HasSubstr("the rate of sync"));
  EXPECT_THAT(Facts("sync,backup=1").rate_rule, HasSubstr("a batch of 50"));
}

}  // namespace
}  // namespace convoy
