#include "launcher/coordinator/held_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace convoy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kSyncStart = absl::FromUnixSeconds(1000);
constexpr absl::Duration kDiskPatience = absl::Milliseconds(300);

// Calls that are nothing but their addresses.
UnaryCall* Call(uintptr_t number) { return reinterpret_cast<UnaryCall*>(number); }

AnsweredCalls Answer(uintptr_t number) {
  AnsweredCalls calls;
  calls.emplace_back(Call(number), absl::OkStatus());
  return calls;
}

std::vector<UnaryCall*> CallsOf(const AnsweredCalls& answers) {
  std::vector<UnaryCall*> calls;
  for (const auto& [call, reply] : answers) calls.push_back(call);
  return calls;
}

TEST(HeldAnswersTest, WhatTheJournalHasOnTheDiskIsAnsweredAtOnce) {
  HeldAnswers held(kDiskPatience);
  EXPECT_THAT(CallsOf(held.Hold(Answer(1), /*to_sync=*/false)), ElementsAre(Call(1)));
  EXPECT_TRUE(held.empty());
  EXPECT_EQ(held.deadline(), absl::InfiniteFuture());
}

TEST(HeldAnswersTest, ASyncReleasesWhatCameBeforeItBegan) {
  HeldAnswers held(kDiskPatience);
  EXPECT_THAT(held.Hold(Answer(1), true), IsEmpty());
  EXPECT_FALSE(held.empty());
  held.SyncBegins(kSyncStart);
  EXPECT_TRUE(held.empty());
  EXPECT_THAT(held.Hold(Answer(2), true), IsEmpty());
  EXPECT_THAT(CallsOf(held.SyncEnded()), ElementsAre(Call(1)));
  EXPECT_FALSE(held.empty()) << "the second one waits for another sync";
  held.SyncBegins(kSyncStart);
  EXPECT_THAT(CallsOf(held.SyncEnded()), ElementsAre(Call(2)));
}

TEST(HeldAnswersTest, ASyncThatTakesTooLongHoldsUpNobody) {
  HeldAnswers held(kDiskPatience);
  held.Hold(Answer(1), true);
  held.SyncBegins(kSyncStart);
  held.Hold(Answer(2), true);
  EXPECT_EQ(held.deadline(), kSyncStart + kDiskPatience);
  EXPECT_THAT(held.TakeLate(kSyncStart + kDiskPatience - absl::Milliseconds(1)), IsEmpty());
  EXPECT_THAT(CallsOf(held.TakeLate(kSyncStart + kDiskPatience)), ElementsAre(Call(1), Call(2)));
  EXPECT_EQ(held.deadline(), absl::InfiniteFuture()) << "nothing more is due";
  EXPECT_EQ(held.SyncingFor(kSyncStart + absl::Seconds(5)), absl::Seconds(5));
  EXPECT_THAT(CallsOf(held.Hold(Answer(3), true)), ElementsAre(Call(3)));
  EXPECT_THAT(held.SyncEnded(), IsEmpty());
  EXPECT_EQ(held.SyncingFor(kSyncStart + absl::Seconds(5)), absl::ZeroDuration());
  EXPECT_THAT(held.Hold(Answer(4), true), IsEmpty()) << "the next sync is waited for again";
}

TEST(HeldAnswersTest, NothingIsLateWhileNoSyncGoesOn) {
  HeldAnswers held(kDiskPatience);
  held.Hold(Answer(1), true);
  EXPECT_THAT(held.TakeLate(kSyncStart + absl::Hours(1)), IsEmpty());
  EXPECT_FALSE(held.empty());
}

}  // namespace
}  // namespace convoy
