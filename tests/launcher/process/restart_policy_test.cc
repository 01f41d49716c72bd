#include "launcher/process/restart_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Remedy = RestartPolicy::Remedy;

Loss LossAt(uint64_t examples) { return {"worker 1 was killed", false, examples}; }

TEST(RestartPolicyTest, AJobThatGetsFurtherStartsAgainAtOnceAsOftenAsItMust) {
  RestartPolicy policy(1);
  for (uint64_t loss = 1; loss <= 100; ++loss) {
    const RestartPolicy::Decision decision = policy.OnLoss(LossAt(40 * loss));
    ASSERT_EQ(decision.remedy, Remedy::kRestoreAll);
    EXPECT_EQ(decision.delay, absl::ZeroDuration());
    EXPECT_EQ(decision.text, absl::StrCat("restart ", loss));
  }
  EXPECT_EQ(policy.restarts(), 100u);
}

TEST(RestartPolicyTest, OneThatDoesNotWaitsLongerAndLongerUpToTenSeconds) {
  RestartPolicy policy(9);
  std::vector<double> seconds;
  for (int i = 0; i < 9; ++i) {
    const RestartPolicy::Decision decision = policy.OnLoss(LossAt(40));
    ASSERT_EQ(decision.remedy, Remedy::kRestoreAll);
    seconds.push_back(absl::ToDoubleSeconds(decision.delay));
  }
  EXPECT_THAT(seconds, ElementsAre(0, 0.5, 1, 2, 4, 8, 10, 10, 10));
  EXPECT_EQ(policy.OnLoss(LossAt(40)).remedy, Remedy::kGiveUp);
}

TEST(RestartPolicyTest, OneProcessIsReplacedWithinTheSameLimits) {
  RestartPolicy policy(2);
  Loss loss = LossAt(40);
  loss.replaceable = true;
  EXPECT_EQ(policy.OnLoss(loss).remedy, Remedy::kReplace);
  EXPECT_EQ(policy.restarts(), 0u);  // the others went on
  const RestartPolicy::Decision second = policy.OnLoss(loss);
  EXPECT_EQ(second.remedy, Remedy::kReplace);
  EXPECT_EQ(second.delay, absl::Seconds(0.5));
  EXPECT_EQ(policy.OnLoss(LossAt(40)).remedy, Remedy::kGiveUp);
  loss.examples = 80;
  EXPECT_EQ(policy.OnLoss(loss).remedy, Remedy::kReplace);
}

TEST(RestartPolicyTest, TheCountBeginsAnewWhenTheJobGotFurtherThanEver) {
  RestartPolicy policy(2);
  EXPECT_EQ(policy.OnLoss(LossAt(80)).text, "restart 1");
  EXPECT_EQ(policy.OnLoss(LossAt(40)).text,  // restored, and lost before it was there again
            "restart 2, number 2 of at most 2 in a row without getting further; in 500ms");
  EXPECT_EQ(policy.OnLoss(LossAt(120)).text, "restart 3");
  EXPECT_EQ(policy.OnLoss(LossAt(120)).remedy, Remedy::kRestoreAll);
  const RestartPolicy::Decision last = policy.OnLoss(LossAt(120));
  EXPECT_EQ(last.remedy, Remedy::kGiveUp);
  EXPECT_EQ(last.text,
            "the job was started again 2 times in a row without getting further than before, and "
            "is given up (cluster.max_restarts: 2)");
  EXPECT_EQ(policy.restarts(), 4u);
}

TEST(RestartPolicyTest, AProgramThatCrashesAtTheSamePlaceIsGivenUpSooner) {
  RestartPolicy policy(10);
  Loss loss = LossAt(40);
  loss.crashed = true;
  for (uint32_t i = 0; i < RestartPolicy::kMaxCrashes; ++i) {
    EXPECT_EQ(policy.OnLoss(loss).remedy, Remedy::kRestoreAll);
  }
  const RestartPolicy::Decision last = policy.OnLoss(loss);
  EXPECT_EQ(last.remedy, Remedy::kGiveUp);
  EXPECT_THAT(last.text, HasSubstr("since the program itself crashes"));
}

TEST(RestartPolicyTest, WithoutRestartsTheFirstLossIsTheEndAndNothingIsSaidOfThem) {
  RestartPolicy policy(0);
  const RestartPolicy::Decision decision = policy.OnLoss(LossAt(40));
  EXPECT_EQ(decision.remedy, Remedy::kGiveUp);
  EXPECT_EQ(decision.text, "");
}

}  // namespace
}  // namespace convoy
