#include "launcher/coordinator/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace convoy {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1000);

v1::RegisterRequest Worker(int wanted_rank, uint64_t pid = 100) {
  v1::RegisterRequest request;
  request.set_role(v1::WORKER);
  request.set_wanted_rank(wanted_rank);
  request.set_pid(pid);
  request.set_host("alpha");
  request.set_build_id("b1");
  request.set_instruction_set("x86-64-v3");
  return request;
}

v1::RegisterRequest Server(int wanted_rank) {
  v1::RegisterRequest request = Worker(wanted_rank);
  request.set_role(v1::SERVER);
  request.set_address("127.0.0.1:1");
  return request;
}

std::string Refusal(const absl::StatusOr<const Process*>& result, absl::StatusCode code) {
  EXPECT_EQ(result.status().code(), code) << result.status();
  return std::string(result.status().message());
}

TEST(MembershipTest, RanksAreGivenInOrderAndWantedOnesAreHonoured) {
  Membership members(7, 1, 3, kNow);
  EXPECT_EQ(members.Register(Worker(1), kNow).value()->identity.rank(), 1u);
  EXPECT_EQ(members.Register(Worker(-1), kNow).value()->identity.rank(), 0u);
  EXPECT_EQ(members.Register(Worker(-1), kNow).value()->identity.rank(), 2u);
  EXPECT_EQ(members.Register(Server(0), kNow).value()->identity.rank(), 0u);
}

TEST(MembershipTest, ATakenRankNamesWhoHoldsIt) {
  Membership members(7, 1, 2, kNow);
  ASSERT_TRUE(members.Register(Worker(1, 4711), kNow).ok());
  EXPECT_THAT(Refusal(members.Register(Worker(1), kNow), absl::StatusCode::kFailedPrecondition),
              HasSubstr("worker 1 is already there: process 4711 on alpha"));
}

TEST(MembershipTest, MoreProcessesThanTheJobWantsAreRefused) {
  Membership members(7, 1, 2, kNow);
  ASSERT_TRUE(members.Register(Worker(-1), kNow).ok());
  ASSERT_TRUE(members.Register(Worker(-1), kNow).ok());
  EXPECT_EQ(Refusal(members.Register(Worker(-1), kNow), absl::StatusCode::kResourceExhausted),
            "the job has 2 workers, all have registered");
  ASSERT_TRUE(members.Register(Server(-1), kNow).ok());
  EXPECT_EQ(Refusal(members.Register(Server(-1), kNow), absl::StatusCode::kResourceExhausted),
            "the job has 1 server, all have registered");
}

TEST(MembershipTest, AnotherBuildOrInstructionSetIsRefusedAndBothAreNamed) {
  Membership members(7, 1, 2, kNow);
  ASSERT_TRUE(members.Register(Server(0), kNow).ok());
  v1::RegisterRequest other = Worker(0);
  other.set_build_id("b2");
  const std::string text =
      Refusal(members.Register(other, kNow), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(text, HasSubstr("build \"b2\""));
  EXPECT_THAT(text, HasSubstr("server 0, the first of the job, is build \"b1\""));
  other = Worker(0);
  other.set_instruction_set("x86-64-v4");
  EXPECT_THAT(Refusal(members.Register(other, kNow), absl::StatusCode::kFailedPrecondition),
              HasSubstr("x86-64-v4"));
}

TEST(MembershipTest, AProcessWithoutABuildJoinsAndDoesNotDecideTheBuildOfTheOthers) {
  Membership members(7, 1, 2, kNow);
  v1::RegisterRequest foreign = Worker(0);
  foreign.clear_build_id();
  foreign.clear_instruction_set();
  ASSERT_TRUE(members.Register(foreign, kNow).ok());
  ASSERT_TRUE(members.Register(Server(0), kNow).ok());
  v1::RegisterRequest other = Worker(1);
  other.set_build_id("b2");
  EXPECT_THAT(Refusal(members.Register(other, kNow), absl::StatusCode::kFailedPrecondition),
              HasSubstr("server 0, the first of the job, is build \"b1\""));
  foreign.set_wanted_rank(1);
  EXPECT_TRUE(members.Register(foreign, kNow).ok());
}

TEST(MembershipTest, RequestsWithoutSenseAreRefused) {
  Membership members(7, 1, 2, kNow);
  v1::RegisterRequest no_role = Worker(0);
  no_role.set_role(v1::ROLE_UNSPECIFIED);
  v1::RegisterRequest no_address = Server(0);
  no_address.clear_address();
  v1::RegisterRequest endless = Worker(0);
  endless.set_host(std::string(10'000, 'x'));
  for (const auto& request : {no_role, no_address, endless, Worker(2)}) {
    Refusal(members.Register(request, kNow), absl::StatusCode::kInvalidArgument);
  }
}

TEST(MembershipTest, IncarnationsGrow) {
  Membership members(7, 1, 2, kNow);
  const uint64_t first = members.Register(Worker(0), kNow).value()->identity.incarnation();
  EXPECT_GT(first, 0u);
  EXPECT_GT(members.Register(Server(0), kNow).value()->identity.incarnation(), first);
}

TEST(MembershipTest, ARepeatedRegistrationGetsTheSameIdentity) {
  Membership members(7, 1, 2, kNow);
  v1::RegisterRequest request = Worker(-1);
  request.set_nonce(99);
  const v1::Identity first = members.Register(request, kNow).value()->identity;
  const v1::Identity again = members.Register(request, kNow).value()->identity;
  EXPECT_EQ(again.rank(), first.rank());
  EXPECT_EQ(again.incarnation(), first.incarnation());
  EXPECT_EQ(members.worker(1), nullptr);
}

TEST(MembershipTest, OnlyTheProcessItselfIsFound) {
  Membership members(7, 1, 2, kNow);
  const v1::Identity identity = members.Register(Worker(0), kNow).value()->identity;
  EXPECT_TRUE(members.Find(identity, kNow).ok());
  v1::Identity other = identity;
  other.set_incarnation(identity.incarnation() + 1);
  EXPECT_EQ(members.Find(other, kNow).status().code(), absl::StatusCode::kAborted);
  other = identity;
  other.set_job_id(8);
  EXPECT_EQ(members.Find(other, kNow).status().code(), absl::StatusCode::kFailedPrecondition);
  other = identity;
  other.set_rank(1);
  EXPECT_THAT(std::string(members.Find(other, kNow).status().message()),
              HasSubstr("worker 1 has not registered"));
  other.set_rank(2);
  EXPECT_EQ(members.Find(other, kNow).status().code(), absl::StatusCode::kInvalidArgument);
  other.set_role(static_cast<v1::Role>(9));
  EXPECT_EQ(members.Find(other, kNow).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace convoy
