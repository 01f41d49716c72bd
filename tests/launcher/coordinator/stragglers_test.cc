#include "launcher/coordinator/stragglers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kPeriod = absl::Seconds(10);

// Three workers, and how far they are.
class StragglerWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint32_t rank = 0; rank < 3; ++rank) Join(rank);
    EXPECT_THAT(LookAfter({1, 1, 1}), IsEmpty()) << "nothing to compare with";
  }
  void Join(uint32_t rank) {
    v1::RegisterRequest request;
    request.set_role(v1::WORKER);
    request.set_wanted_rank(static_cast<int32_t>(rank));
    request.set_nonce(++nonce_);
    ASSERT_TRUE(members_.Register(request, now_).ok());
  }
  // Every worker has trained for a period and needed so many milliseconds for an example.
  std::vector<std::string> LookAfter(const std::vector<double>& milliseconds) {
    for (uint32_t rank = 0; rank < 3; ++rank) {
      v1::ProcessUsage& usage = members_.worker(rank)->usage;
      usage.set_trained_seconds(usage.trained_seconds() + 10);
      usage.set_waited_seconds(usage.waited_seconds() + 2);
      usage.set_examples(usage.examples() + static_cast<uint64_t>(8000 / milliseconds[rank]));
    }
    now_ += kPeriod;
    return watch_.Look(members_, now_);
  }

  absl::Time now_ = absl::UnixEpoch();
  uint64_t nonce_ = 0;
  Membership members_{1, 0, 3, now_};
  StragglerWatch watch_{kPeriod};
};

TEST_F(StragglerWatchTest, OneThatStaysBehindIsNewsOnceAndWhenItKeepsPaceAgain) {
  EXPECT_THAT(LookAfter({1, 1, 2}), IsEmpty()) << "once may be chance";
  EXPECT_THAT(LookAfter({1, 1, 2}),
              ElementsAre("worker 2 needs 2.0 times as long for an example as the other workers"));
  EXPECT_THAT(LookAfter({1, 1, 3}), IsEmpty()) << "known";
  EXPECT_THAT(LookAfter({1, 1, 1}), IsEmpty());
  EXPECT_THAT(LookAfter({1, 1, 1.1}), ElementsAre("worker 2 keeps pace with the others again"));
  EXPECT_THAT(LookAfter({1, 1, 1}), IsEmpty());
}

TEST_F(StragglerWatchTest, OneThatIsSlowNowAndThenIsNoNews) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(LookAfter({1, 4, 1}), IsEmpty());
    EXPECT_THAT(LookAfter({1, 1, 1}), IsEmpty());
  }
}

TEST_F(StragglerWatchTest, BetweenTwoPeriodsNothingIsCompared) {
  LookAfter({1, 1, 2});
  EXPECT_THAT(watch_.Look(members_, now_ + kPeriod / 2), IsEmpty());
  EXPECT_THAT(LookAfter({1, 1, 2}), ::testing::SizeIs(1));
}

TEST_F(StragglerWatchTest, ANewcomerBeginsWithAGoodName) {
  LookAfter({1, 1, 2});
  LookAfter({1, 1, 2});
  members_.Lose(2, "killed", /*died=*/true, now_);
  Join(2);
  EXPECT_THAT(LookAfter({1, 1, 2}), IsEmpty());
  EXPECT_THAT(LookAfter({1, 1, 2}), IsEmpty());
  EXPECT_THAT(LookAfter({1, 1, 2}), ::testing::SizeIs(1)) << "and is told anew";
}

TEST_F(StragglerWatchTest, WhoHasFinishedOrIsLostIsNotCompared) {
  members_.worker(1)->finished = true;
  members_.Lose(0, "killed", /*died=*/true, now_);
  EXPECT_THAT(LookAfter({1, 1, 2}), IsEmpty());
  EXPECT_THAT(LookAfter({1, 1, 2}), IsEmpty());
}

}  // namespace
}  // namespace convoy
