#include "common/rehearsal/link_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::HasSubstr;

LinkLimit Limit(std::string_view text) {
  const absl::StatusOr<LinkLimit> limit = ParseLinkLimit(text);
  EXPECT_TRUE(limit.ok()) << limit.status();
  return limit.value_or(LinkLimit());
}

TEST(LinkLimitTest, HasARateALatencyOrBoth) {
  EXPECT_EQ(Limit("100mbit,5ms"), (LinkLimit{1e8, absl::Milliseconds(5)}));
  EXPECT_EQ(Limit("2.5gbit"), (LinkLimit{2.5e9, absl::ZeroDuration()}));
  EXPECT_EQ(Limit("64kbit"), (LinkLimit{64e3, absl::ZeroDuration()}));
  EXPECT_EQ(Limit("250us"), (LinkLimit{0, absl::Microseconds(250)}));
  EXPECT_EQ(Limit("1s"), (LinkLimit{0, absl::Seconds(1)}));
  EXPECT_FALSE(Limit("").any());
  EXPECT_EQ(Describe(Limit("100mbit,5ms")), "100 Mbit/s and 5ms delay from each process");
}

TEST(LinkLimitTest, WhatIsNoLinkIsRefusedWithAnExample) {
  for (const char* text : {"fast", "100", "mbit", "-1mbit", "0mbit", "100mbit,100mbit",
                           "5ms,100mbit", "5ms,5ms", "100mbit,", "61s", "nanmbit", "1e30gbit"}) {
    const absl::Status status = ParseLinkLimit(text).status();
    EXPECT_FALSE(status.ok()) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("100mbit,5ms")) << text;
  }
}

TEST(LimitedLinkTest, MessagesLeaveOneAfterTheOtherAndArriveALatencyLater) {
  LimitedLink link({8e6, absl::Milliseconds(5)});  // a byte takes 1 us
  const absl::Time start = absl::FromUnixSeconds(1000);
  EXPECT_EQ(link.Arrival(1000, start), start + absl::Milliseconds(6));
  EXPECT_EQ(link.Arrival(2000, start), start + absl::Milliseconds(8)) << "waits for the first";
  const absl::Time later = start + absl::Seconds(1);
  EXPECT_EQ(link.Arrival(1000, later), later + absl::Milliseconds(6))
      << "an idle link saves nothing up";
}

TEST(LimitedLinkTest, WithoutARateOnlyTheLatencyCounts) {
  LimitedLink link({0, absl::Milliseconds(2)});
  const absl::Time start = absl::FromUnixSeconds(1000);
  EXPECT_EQ(link.Arrival(1 << 30, start), start + absl::Milliseconds(2));
  EXPECT_EQ(link.Arrival(1, start), start + absl::Milliseconds(2));
}

}  // namespace
}  // namespace convoy
