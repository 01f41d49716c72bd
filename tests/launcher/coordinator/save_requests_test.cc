#include "launcher/coordinator/save_requests.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

v1::SaveCheckpointReply Saved(uint64_t step) {
  v1::SaveCheckpointReply reply;
  reply.set_committed(true);
  reply.set_step(step);
  return reply;
}

TEST(SaveRequestsTest, ARequestIsAnsweredByTheFirstCheckpointThatWasBegunAfterIt) {
  SaveRequests requests;
  const uint64_t first = requests.Open(3), second = requests.Open(4);
  requests.Resolve(2, Saved(20));
  EXPECT_FALSE((*requests.Find(first)).has_value());
  requests.Resolve(3, Saved(30));
  ASSERT_TRUE((*requests.Find(first)).has_value());
  EXPECT_EQ((**requests.Find(first))->step(), 30u);
  EXPECT_EQ((**requests.Find(first))->ticket(), first);
  EXPECT_FALSE((*requests.Find(second)).has_value());
  requests.Resolve(5, absl::AbortedError("disk full"));
  EXPECT_EQ((*requests.Find(second))->status().message(), "disk full");
  // A later one changes nothing: the answer may be asked for again.
  requests.Resolve(6, Saved(60));
  EXPECT_EQ((**requests.Find(first))->step(), 30u);
}

TEST(SaveRequestsTest, AtTheEndAllThatAreOpenAreAnswered) {
  SaveRequests requests;
  const uint64_t ticket = requests.Open(1);
  requests.ResolveAll(absl::AbortedError("the job has ended"));
  EXPECT_EQ((*requests.Find(ticket))->status().message(), "the job has ended");
}

TEST(SaveRequestsTest, ATicketThatNobodyHasIsAnError) {
  EXPECT_TRUE(absl::IsNotFound(SaveRequests().Find(7).status()));
}

TEST(SaveRequestsTest, OldOutcomesAreForgotten) {
  SaveRequests requests;
  const uint64_t first = requests.Open(1);
  for (int i = 0; i < 1000; ++i) {
    requests.Open(1);
    requests.Resolve(1, Saved(1));
  }
  EXPECT_TRUE(absl::IsNotFound(requests.Find(first).status()));
}

}  // namespace
}  // namespace convoy
