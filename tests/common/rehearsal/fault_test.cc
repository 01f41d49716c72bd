#include "common/rehearsal/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy {
namespace {

using ::testing::HasSubstr;

TEST(FaultTest, EveryFormIsReadAndWrittenAgain) {
  for (const char* text :
       {"kill worker 1 at step 200", "kill server 0 at step 1", "kill coordinator at step 300",
        "freeze worker 0 for 2s at step 100", "freeze coordinator for 1.5ms at step 7",
        "worker 1 slow 3x", "worker 12 slow 1.5x", "drop 1% of pushes", "corrupt 3% of pushes",
        "duplicate 0.25% of pushes", "delay 5% of pushes by 20ms",
        "delay 100% of pushes by 300us"}) {
    const absl::StatusOr<Fault> fault = ParseFault(text);
    ASSERT_TRUE(fault.ok()) << fault.status();
    EXPECT_EQ(ToString(*fault), text);
  }
  EXPECT_EQ(*ParseFault("  kill   worker 1\tat step 200 "),
            *ParseFault("kill worker 1 at step 200"));
}

TEST(FaultTest, ItsPartsAreWhatTheWordsSay) {
  const Fault freeze = *ParseFault("freeze server 2 for 2s at step 100");
  EXPECT_EQ(freeze.kind, Fault::Kind::kFreeze);
  EXPECT_EQ(freeze.role, "server");
  EXPECT_EQ(freeze.rank, 2u);
  EXPECT_EQ(freeze.step, 100u);
  EXPECT_EQ(freeze.time, absl::Seconds(2));
  EXPECT_TRUE(freeze.OfProcess());
  EXPECT_FALSE(freeze.OfPushes());
  const Fault delay = *ParseFault("delay 5% of pushes by 20ms");
  EXPECT_DOUBLE_EQ(delay.share, 0.05);
  EXPECT_EQ(delay.time, absl::Milliseconds(20));
  EXPECT_TRUE(delay.OfPushes());
}

TEST(FaultTest, AnErrorSaysWhereWhatIsWantedAndWhichFormsThereAre) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"",
            "at character 1 it ends, want kill, freeze, worker, drop, duplicate, corrupt or delay"},
           {"burn worker 1", "at character 1 stands \"burn\", want kill, freeze"},
           {"kill wroker 1 at step 2", "at character 6 stands \"wroker\", want worker RANK"},
           {"kill worker at step 2", "at character 13 stands \"at\", want the rank of a worker"},
           {"kill worker -1 at step 2", "at character 13 stands \"-1\""},
           {"kill worker 9999999999 at step 2", "at character 13 stands"},
           {"kill worker 1", "at character 14 it ends, want \"at\""},
           {"kill worker 1 at step 0", "at character 23 stands \"0\", want a step from 1 on"},
           {"kill worker 1 at step 2 now", "at character 25 stands \"now\", want no more words"},
           {"freeze worker 1 for 2 at step 2", "at character 21 stands \"2\", want a time such as"},
           {"freeze worker 1 for 0s at step 2", "at character 21 stands \"0s\""},
           {"freeze worker 1 for 1e99s at step 2", "at character 21 stands \"1e99s\""},
           {"server 1 slow 3x", "at character 1 stands \"server\""},
           {"worker 1 slow 1x", "at character 15 stands \"1x\", want a factor"},
           {"drop 1 of pushes", "at character 6 stands \"1\", want a share such as 1%"},
           {"drop nan% of pushes", "at character 6 stands \"nan%\""},
           {"drop 101% of pushes", "at character 6 stands \"101%\""},
           {"delay 5% of pushes", "at character 19 it ends, want \"by\""}}) {
    const absl::Status status = ParseFault(c.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error));
    EXPECT_THAT(std::string(status.message()), HasSubstr("\"drop 1% of pushes\""));
  }
}

TEST(PushFaultsTest, AShareOfThePushesIsHitTheSameOnesEveryTime) {
  const std::vector<Fault> faults = {*ParseFault("drop 10% of pushes"),
                                     *ParseFault("delay 50% of pushes by 3ms"),
                                     *ParseFault("kill worker 0 at step 3")};
  const PushFaults first(faults, 7, 0), again(faults, 7, 0), other(faults, 7, 1);
  int dropped = 0, delayed = 0, differ = 0;
  for (uint64_t i = 0; i < 10000; ++i) {
    const PushFaults::Hit hit = first.Of(i);
    EXPECT_FALSE(hit.duplicate);
    dropped += hit.drop ? 1 : 0;
    delayed += hit.delay == absl::Milliseconds(3) ? 1 : 0;
    EXPECT_EQ(hit.drop, again.Of(i).drop);
    differ += hit.drop != other.Of(i).drop ? 1 : 0;
  }
  EXPECT_NEAR(dropped, 1000, 120);  // four standard deviations of a binomial: 4 * 30
  EXPECT_NEAR(delayed, 5000, 200);  // 4 * 50
  EXPECT_GT(differ, 1000);
}

TEST(PushFaultsTest, FaultsOfProcessesHitNoPush) {
  EXPECT_FALSE(PushFaults({*ParseFault("kill worker 0 at step 3")}, 7, 0).any());
}

}  // namespace
}  // namespace convoy
