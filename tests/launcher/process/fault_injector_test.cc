#include "launcher/process/fault_injector.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

namespace convoy {
namespace {

const absl::Time kNow = absl::UnixEpoch();

TEST(FaultInjectorTest, AFaultHappensOnceWhenTheJobHasGotToItsStepOrBeyond) {
  FaultInjector injector({*ParseFault("kill worker 1 at step 200")});
  EXPECT_TRUE(injector.Due(199, kNow).empty());
  EXPECT_EQ(injector.Missing(), std::vector<std::string>{"kill worker 1 at step 200"});
  const auto due = injector.Due(203, kNow);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].role, "worker");
  EXPECT_EQ(due[0].rank, 1);
  EXPECT_EQ(due[0].number, SIGKILL);
  EXPECT_EQ(due[0].fault, "kill worker 1 at step 200");
  EXPECT_FALSE(injector.any());
  EXPECT_TRUE(injector.Missing().empty());
  EXPECT_TRUE(injector.Due(150, kNow).empty());  // it went back
  EXPECT_TRUE(injector.Due(250, kNow).empty());
}

TEST(FaultInjectorTest, AFrozenProcessGoesOnAfterItsTime) {
  FaultInjector injector({*ParseFault("freeze server 0 for 2s at step 5")});
  EXPECT_EQ(injector.Due(5, kNow).at(0).number, SIGSTOP);
  EXPECT_TRUE(injector.any());
  EXPECT_TRUE(injector.Due(9, kNow + absl::Milliseconds(1999)).empty());
  const auto due = injector.Due(9, kNow + absl::Seconds(2));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].number, SIGCONT);
  EXPECT_EQ(due[0].role, "server");
  EXPECT_FALSE(injector.any());
}

TEST(FaultInjectorTest, OneThatWasReplacedMeanwhileIsLeftAlone) {
  FaultInjector injector({*ParseFault("freeze server 0 for 2s at step 5")});
  injector.Due(5, kNow);
  injector.Forget();
  EXPECT_TRUE(injector.Due(9, kNow + absl::Seconds(3)).empty());
}

TEST(FaultInjectorTest, FaultsOfPushesAreNotItsBusiness) {
  EXPECT_FALSE(FaultInjector({*ParseFault("drop 1% of pushes")}).any());
}

}  // namespace
}  // namespace convoy
