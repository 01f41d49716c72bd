// What a server refuses, with the exact words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/ps/test_server.h"

namespace convoy::testing {
namespace {

// 2 * 65,536 + 32 elements: the third block has 32.
std::vector<VariableSpec> LargeModel() {
  return {{"layer1/weight", {4097, 32}, Initializer::Zeros()}};
}

void ExpectError(const ExchangeReply& reply, absl::StatusCode code, const std::string& message) {
  EXPECT_EQ(reply.code, code);
  EXPECT_EQ(reply.message, message);
}

TEST(ServerCoreErrorsTest, AWrongNumberOfValuesNamesBlockAndShape) {
  TestServer server(SyncOptions(1), LargeModel());
  ExpectError(server.Reply(PushStep(0, 0, {0, 0}, {{2, std::vector<float>(12)}})),
              absl::StatusCode::kInvalidArgument,
              "push to \"layer1/weight\" block 2: got 12 values, want 32 (elements 131072 to "
              "131103 of 4097 x 32)");
  ExchangeRequest odd = PushStep(0, 0, {0, 0}, {});
  odd.contributions.push_back({2, 0, Payload()});
  static constexpr char kBytes[50] = {};
  odd.contributions[0].values.Append({kBytes, 50});
  ExpectError(server.Reply(odd), absl::StatusCode::kInvalidArgument,
              "push to \"layer1/weight\" block 2: got 12 and a half values, want 32 (elements "
              "131072 to 131103 of "
              "4097 x 32)");
}

TEST(ServerCoreErrorsTest, ANumberThatIsNotFiniteNamesElementWorkerAndStep) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  TestServer server(SyncOptions(1), LargeModel());
  std::vector<float> values(32);
  values[5] = kNaN;
  values[6] = kInfinity;
  ExpectError(server.Reply(PushStep(3, 0, {0, 0}, {{2, values}})),
              absl::StatusCode::kInvalidArgument,
              "gradient of \"layer1/weight\" block 2 from worker 3 at step 0 is not a finite "
              "number at element "
              "131077; lower optimizer.learning_rate, set optimizer.clip_norm, or "
              "training.nan_policy: SKIP");
  TestServer async(TaskOptions({Mode::Kind::kAsync, 0}));
  for (float bad : {kInfinity, -kInfinity, kNaN, -kNaN}) {
    const ExchangeReply reply = async.Reply(PushBatch(1, 4, 0, {{1, {bad}}}));
    EXPECT_THAT(reply.message,
                ::testing::HasSubstr("from worker 1 at task 4 batch 0 is not a finite number"));
  }
  EXPECT_EQ(async.Reply(PushBatch(1, 4, 0, {{1, {std::numeric_limits<float>::max()}}})).code,
            absl::StatusCode::kOk);
}

TEST(ServerCoreErrorsTest, NothingOfARefusedMessageIsApplied) {
  TestServer server(SyncOptions(1));
  ExchangeRequest push = PushStep(0, 0, {0, 0}, {{0, {1, 1, 1}}, {1, {1, 2}}});
  EXPECT_EQ(server.Reply(push).code, absl::StatusCode::kInvalidArgument);
  push = PushStep(0, 0, {0, 0}, {{0, {1, 1, 1}}});
  push.pull_cells = {9};
  EXPECT_EQ(server.Reply(push).code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(server.Counts(0).version, 0u);
  EXPECT_EQ(server.Counts(ServerCore::kServerCell).version, 0u);
}

TEST(ServerCoreErrorsTest, CellsOfOthersAndCellsThatAreNotThereAreTold) {
  TestServer server(SyncOptions(1), SmallModel(), /*servers=*/2);  // "w" here, "b" on server 1
  ExpectError(server.Reply(PushStep(0, 0, {0, 0}, {{1, {1}}})),
              absl::StatusCode::kFailedPrecondition,
              "push of \"b\" block 0 (cell 1): it is on server 1, this is server 0");
  ExpectError(server.Reply(PullStep(0, 0, {1})), absl::StatusCode::kFailedPrecondition,
              "pull of \"b\" block 0 (cell 1): it is on server 1, this is server 0");
  ExpectError(server.Reply(PullStep(0, 0, {7})), absl::StatusCode::kFailedPrecondition,
              "pull of cell 7: the model has 2 cells");
  ExpectError(server.Reply(PullStep(0, 0, {0, 0})), absl::StatusCode::kInvalidArgument,
              "pull of 2 cells, this server has 1");
}

TEST(ServerCoreErrorsTest, ATreeNodeThatIsNotThereIsTold) {
  TestServer server(SyncOptions(4));
  for (TreeNode node : {TreeNode{0, 4}, TreeNode{1, 2}, TreeNode{3, 0}, TreeNode{~0u, ~0u}}) {
    EXPECT_EQ(server.Reply(PushStep(0, 0, node, {})).code, absl::StatusCode::kInvalidArgument);
  }
  ExpectError(server.Reply(PushStep(0, 0, {1, 2}, {})), absl::StatusCode::kInvalidArgument,
              "push of tree node (level 1, index 2): the job has 4 slices, there is no such node");
}

TEST(ServerCoreErrorsTest, JobGenerationAndSessionAreFences) {
  ServerCore::Options options = SyncOptions(1);
  options.generation = 5;
  TestServer server(options);
  ExchangeRequest push = PushStep(0, 0, {0, 0}, {{1, {1}}});
  push.generation = 5;
  push.job_id = 0x123;
  ExpectError(server.Reply(push), absl::StatusCode::kFailedPrecondition,
              "this server works for job 0000000000000abc, the request is of job 0000000000000123; "
              "check the addresses");
  push.job_id = kJob;
  push.generation = 4;
  ExpectError(server.Reply(push), absl::StatusCode::kAborted, "generation 4 is over, now 5");
  push.generation = 6;
  ExpectError(server.Reply(push), absl::StatusCode::kUnavailable,
              "generation 6 is not known yet, still 5");
  push.generation = 5;
  push.session = 3;
  EXPECT_EQ(server.Reply(push).code, absl::StatusCode::kOk);
  push.session = 2;
  push.step = 1;
  ExpectError(server.Reply(push), absl::StatusCode::kAborted,
              "worker 0 has opened a newer stream (session 3, this is 2), or another process has "
              "taken its place");
  EXPECT_EQ(server.Counts(1).version, 1u);
}

TEST(ServerCoreErrorsTest, BadOptimizerSettingsAreRefusedAtCreation) {
  ServerCore::Options options = SyncOptions(1);
  options.optimizer.mutable_momentum()->set_momentum(2);
  EXPECT_EQ(ServerCore::Create(options, *Placement::Create(SmallModel(), 1)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace convoy::testing
