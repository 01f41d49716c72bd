#include "launcher/coordinator/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using ::testing::ElementsAre;

TEST(EventLogTest, ReadReturnsWhatFollowsTheLinesSeen) {
  EventLog log;
  for (const char* line : {"a", "b", "c"}) log.Append(line);
  v1::GetProgressReply reply;
  log.Read(1, &reply);
  EXPECT_THAT(reply.events(), ElementsAre("b", "c"));
  EXPECT_EQ(reply.events_seen(), 3u);
}

TEST(EventLogTest, OldLinesAreForgottenAndTheNumberingGoesOn) {
  EventLog log(/*max_bytes=*/4, /*max_reply_bytes=*/100);
  for (const char* line : {"aa", "bb", "cc"}) log.Append(line);
  v1::GetProgressReply reply;
  log.Read(0, &reply);
  EXPECT_THAT(reply.events(), ElementsAre("bb", "cc"));
  EXPECT_EQ(reply.events_seen(), 3u);
  EXPECT_EQ(log.size(), 3u);
}

TEST(EventLogTest, AReplyCarriesWhatFitsAndTheNextOneTheRest) {
  EventLog log(/*max_bytes=*/100, /*max_reply_bytes=*/5);
  for (const char* line : {"aa", "bb", "cc"}) log.Append(line);
  v1::GetProgressReply first, second;
  log.Read(0, &first);
  log.Read(first.events_seen(), &second);
  EXPECT_THAT(first.events(), ElementsAre("aa", "bb"));
  EXPECT_THAT(second.events(), ElementsAre("cc"));
}

TEST(EventLogTest, ALineLargerThanAReplyIsSentAlone) {
  EventLog log(/*max_bytes=*/100, /*max_reply_bytes=*/1);
  log.Append("long line");
  v1::GetProgressReply reply;
  log.Read(0, &reply);
  EXPECT_THAT(reply.events(), ElementsAre("long line"));
}

TEST(EventLogTest, AnObserverOfAnotherLifeGetsNothingAndTheRightNumber) {
  EventLog log;
  log.Append("a");
  v1::GetProgressReply reply;
  log.Read(500, &reply);
  EXPECT_EQ(reply.events_size(), 0);
  EXPECT_EQ(reply.events_seen(), 1u);
}

}  // namespace
}  // namespace convoy
